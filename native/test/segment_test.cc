#include "packet/superframe/segment.h"

#include <doctest/doctest.h>

#include "frames.h"

namespace weft {
namespace {

using test::Buffer;
using test::FrameSpec;

constexpr std::size_t no_limit = 65535;

std::vector<Buffer> cut(const FrameSpec& spec, std::uint16_t gso_size, std::size_t max_frame = no_limit) {
  Buffer frame = test::make_frame(spec);
  const auto plan = Segmenter::plan(frame, test::vnet_of(spec, gso_size), max_frame);
  REQUIRE(plan.has_value());
  std::vector<Buffer> segments;
  for (std::size_t i = 0; i < plan->count(); ++i) {
    segments.emplace_back(plan->size(i));
    plan->write(i, segments.back().data());
  }
  return segments;
}

TEST_CASE("the payloads of the segments are the payload of the superframe, and every checksum is right") {
  for (const bool ipv6 : {false, true}) {
    for (const bool udp : {false, true}) {
      for (const std::size_t payload : {1U, 999U, 1000U, 1001U, 5500U, 60000U}) {
        const FrameSpec spec{
            .ipv6 = ipv6, .udp = udp, .vlan_tags = 1, .ip_options = 8, .tcp_options = 12, .payload = payload};
        const Buffer whole = test::make_frame(spec);
        Buffer joined;
        for (const Buffer& segment : cut(spec, 1000)) {
          const Layers layers = parse_frame(segment);
          REQUIRE((udp ? layers.udp() : layers.tcp()));
          REQUIRE(layers.network_end == segment.size());
          CHECK(test::ip_checksum_right(segment));
          CHECK(test::transport_checksum_right(segment, test::Checksum::partial));
          joined.insert(joined.end(), segment.begin() + layers.payload_offset, segment.end());
        }
        CHECK(joined == Buffer(whole.end() - static_cast<std::ptrdiff_t>(payload), whole.end()));
      }
    }
  }
}

TEST_CASE("sequence numbers and IPv4 ids go on, and wrap") {
  const auto segments = cut({.sequence = 0xfffffff0, .id = 0xffff, .payload = 250}, 100);
  REQUIRE(segments.size() == 3);
  CHECK(load32(&segments[0][38]) == 0xfffffff0);
  CHECK(load32(&segments[1][38]) == 0x54);
  CHECK(load32(&segments[2][38]) == 0xb8);
  CHECK(load16(&segments[0][18]) == 0xffff);
  CHECK(load16(&segments[1][18]) == 0);
  CHECK(load16(&segments[2][18]) == 1);
}

TEST_CASE("FIN and PSH stand in the last segment only, CWR in the first only") {
  const auto segments = cut({.tcp_flags = 0x80 | 0x40 | 0x10 | 0x08 | 0x01, .payload = 300}, 100);
  REQUIRE(segments.size() == 3);
  CHECK(load8(&segments[0][47]) == (0x80 | 0x40 | 0x10));
  CHECK(load8(&segments[1][47]) == (0x40 | 0x10));
  CHECK(load8(&segments[2][47]) == (0x40 | 0x10 | 0x08 | 0x01));
}

TEST_CASE("TCP is cut smaller to fit, UDP keeps its datagrams") {
  const auto tcp = cut({.payload = 3000}, 1400, 14 + 40 + 500);
  CHECK(tcp.size() == 6);
  CHECK(tcp.front().size() == 14 + 40 + 500);
  const auto udp = cut({.udp = true, .payload = 3000}, 1400, 14 + 28 + 500);
  CHECK(udp.size() == 3);
  CHECK(udp.front().size() == 14 + 28 + 1400);
}

TEST_CASE("carving in place makes the same segments as writing them elsewhere") {
  for (const bool ipv6 : {false, true}) {
    for (const std::uint16_t gso_size : std::array<std::uint16_t, 4>{7, 54, 200, 1448}) {
      const FrameSpec spec{.ipv6 = ipv6, .tcp_options = 12, .payload = 9001};
      const auto expected = cut(spec, gso_size);
      Buffer frame = test::make_frame(spec);
      auto plan = Segmenter::plan(frame, test::vnet_of(spec, gso_size), no_limit);
      REQUIRE(plan.has_value());
      for (std::size_t i = 0; i < plan->count(); ++i) {
        const Bytes segment = plan->carve(i);
        REQUIRE(Buffer(segment.begin(), segment.end()) == expected[i]);
      }
    }
  }
}

TEST_CASE("a superframe that is not what its vnet header says is refused") {
  const FrameSpec spec{.payload = 3000};
  const VnetHeader good = test::vnet_of(spec, 1000);
  const auto planned = [&](const FrameSpec& frame_spec, VnetHeader vnet, std::size_t max_frame = no_limit) {
    Buffer frame = test::make_frame(frame_spec);
    return Segmenter::plan(frame, vnet, max_frame).has_value();
  };
  const auto but = [&](auto change) {
    VnetHeader vnet = good;
    change(vnet);
    return planned(spec, vnet);
  };
  CHECK(planned(spec, good));
  CHECK(but([](auto& vnet) { vnet.gso_type |= VnetHeader::gso_ecn; }));
  CHECK_FALSE(but([](auto& vnet) { vnet.gso_type = VnetHeader::gso_tcp6; }));
  CHECK_FALSE(but([](auto& vnet) { vnet.gso_type = VnetHeader::gso_udp; }));
  CHECK_FALSE(but([](auto& vnet) { vnet.gso_type = 3; }));
  CHECK_FALSE(but([](auto& vnet) { vnet.gso_type = VnetHeader::gso_none; }));
  CHECK_FALSE(but([](auto& vnet) { vnet.gso_size = 0; }));
  CHECK_FALSE(but([](auto& vnet) { vnet.gso_size = 1; }));  // 3000 segments
  CHECK_FALSE(but([](auto& vnet) { vnet.flags = 0; }));
  CHECK_FALSE(but([](auto& vnet) { vnet.checksum_start = 20; }));
  CHECK_FALSE(but([](auto& vnet) { vnet.checksum_offset = 6; }));
  CHECK_FALSE(planned({.payload = 0}, good));
  CHECK_FALSE(planned(spec, good, 54));  // no room for payload
}

}  // namespace
}  // namespace weft
