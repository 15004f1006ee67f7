#include "packet/parse.h"

#include <doctest/doctest.h>

#include "frames.h"
#include "packet/checksum.h"

namespace weft {
namespace {

using test::Buffer;
using test::FrameSpec;

TEST_CASE("layers are found behind VLAN tags, IP options, extension headers and TCP options") {
  for (const bool ipv6 : {false, true}) {
    for (const bool udp : {false, true}) {
      for (const unsigned tags : {0U, 1U, 2U}) {
        for (const std::size_t options : {0U, 8U, 40U}) {
          const FrameSpec spec{.ipv6 = ipv6,
                               .udp = udp,
                               .vlan_tags = tags,
                               .ip_options = options,
                               .tcp_options = 12,
                               .payload = 33};
          const Buffer frame = test::make_frame(spec);
          const Layers layers = parse_frame(frame);
          CHECK(layers.ipv6() == ipv6);
          CHECK(layers.ipv4() == !ipv6);
          CHECK(layers.udp() == udp);
          CHECK(layers.tcp() == !udp);
          CHECK(layers.network_offset == 14 + 4 * tags);
          CHECK(layers.transport_offset == layers.network_offset + (ipv6 ? 40 : 20) + options);
          CHECK(layers.payload_offset == layers.transport_offset + (udp ? 8 : 32));
          CHECK(layers.network_end == frame.size());
          CHECK(layers.payload_offset + 33 == frame.size());
        }
      }
    }
  }
}

TEST_CASE("padding behind the IP packet is not part of it") {
  Buffer frame = test::make_frame({.payload = 2});
  const std::size_t end = frame.size();
  frame.resize(64);
  CHECK(parse_frame(frame).network_end == end);
}

TEST_CASE("a frame cut anywhere shows no layer that is not wholly there") {
  for (const bool ipv6 : {false, true}) {
    const Buffer frame = test::make_frame({.ipv6 = ipv6, .vlan_tags = 1, .ip_options = 8, .tcp_options = 8});
    for (std::size_t size = 0; size < frame.size(); ++size) {
      const Layers layers = parse_frame(ConstBytes(frame).first(size));
      CHECK(layers.payload_offset == 0);
      CHECK(layers.network_end <= size);
    }
  }
}

TEST_CASE("later fragments have no transport header, first ones have") {
  Buffer frame = test::make_frame({.udp = true});
  frame[20] = std::byte{0x20};
  CHECK(parse_frame(frame).fragment);
  CHECK(parse_frame(frame).udp());
  frame[21] = std::byte{1};
  CHECK(parse_frame(frame).fragment);
  CHECK_FALSE(parse_frame(frame).udp());
}

TEST_CASE("headers that contradict themselves are not taken") {
  const auto with = [](std::size_t at, unsigned value) {
    Buffer frame = test::make_frame({});
    frame[at] = std::byte(value);
    return parse_frame(frame);
  };
  CHECK_FALSE(with(14, 0x65).ipv4());  // version 6
  CHECK_FALSE(with(14, 0x44).ipv4());  // header of 16 bytes
  CHECK_FALSE(with(16, 0xff).ipv4());  // longer than the frame
  CHECK_FALSE(with(46, 0x40).tcp());   // TCP header of 16 bytes
  CHECK(with(46, 0x40).ipv4());
}

TEST_CASE("frames that are not IP have an EtherType only") {
  Buffer frame(60);
  store16(&frame[12], ethertype_arp);
  const Layers layers = parse_frame(frame);
  CHECK(layers.ethertype == ethertype_arp);
  CHECK(layers.network_offset == 0);
}

TEST_CASE("group and link-local control addresses are told from others") {
  const auto mac = [](unsigned first, unsigned last) {
    return MacAddress{std::byte(first), std::byte{0x80}, std::byte{0xc2},
                      std::byte{0},     std::byte{0},    std::byte(last)};
  };
  CHECK(is_group(mac(1, 0)));
  CHECK_FALSE(is_group(mac(2, 0)));
  CHECK(is_link_local_group(mac(1, 0)));
  CHECK(is_link_local_group(mac(1, 15)));
  CHECK_FALSE(is_link_local_group(mac(1, 16)));
}

TEST_CASE("a partial checksum completes to the right one") {
  for (const bool ipv6 : {false, true}) {
    for (const bool udp : {false, true}) {
      for (const std::size_t payload : {0U, 1U, 2U, 3U, 1399U}) {
        const FrameSpec spec{.ipv6 = ipv6, .udp = udp, .payload = payload};
        Buffer frame = test::make_frame(spec);
        const InnerFrame inner = test::inner_of(spec);
        complete_checksum(frame, inner.checksum_start, inner.checksum_offset);
        CHECK(test::transport_checksum_right(frame, test::Checksum::complete));
      }
    }
  }
}

}  // namespace
}  // namespace weft
