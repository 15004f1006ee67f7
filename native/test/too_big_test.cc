#include "packet/messages/too_big.h"

#include <doctest/doctest.h>

#include "frames.h"
#include "packet/checksum.h"

namespace weft {
namespace {

using test::Buffer;
using test::FrameSpec;

Buffer answer(const Buffer& frame, std::uint32_t mtu = 1400) {
  Buffer out(max_too_big_size);
  out.resize(build_too_big(frame, parse_frame(frame), mtu, out));
  return out;
}

TEST_CASE("an IPv4 sender is told the MTU, with its own packet quoted") {
  const Buffer frame = test::make_frame({.vlan_tags = 1, .payload = 3000});
  const Buffer out = answer(frame);
  REQUIRE(out.size() == 18 + 576);
  const Layers layers = parse_frame(out);
  CHECK(layers.ipv4());
  CHECK(layers.network_end == out.size());
  CHECK(layers.protocol == protocol_icmp);
  CHECK(destination_mac(out) == source_mac(frame));
  CHECK(source_mac(out) == destination_mac(frame));
  CHECK(load16(&out[14]) == load16(&frame[14]));            // VLAN
  CHECK(load32(&out[18 + 12]) == load32(&frame[18 + 16]));  // from the destination
  CHECK(load32(&out[18 + 16]) == load32(&frame[18 + 12]));  // to the sender
  CHECK(test::ip_checksum_right(out));
  CHECK(load16(&out[38]) == 0x0304);
  CHECK(load16(&out[38 + 6]) == 1400);
  CHECK(checksum_finish(checksum_add(ConstBytes(out).subspan(38))) == 0);
  CHECK(std::equal(out.begin() + 46, out.end(), frame.begin() + 18));
}

TEST_CASE("an IPv6 sender is told the MTU, but never less than 1280") {
  const Buffer frame = test::make_frame({.ipv6 = true, .payload = 3000});
  const Buffer out = answer(frame);
  REQUIRE(out.size() == 14 + 1280);
  const Layers layers = parse_frame(out);
  CHECK(layers.ipv6());
  CHECK(layers.protocol == protocol_icmp6);
  CHECK(load8(&out[54]) == 2);
  CHECK(load32(&out[58]) == 1400);
  const auto size = static_cast<std::uint32_t>(out.size() - 54);
  CHECK(checksum_finish(checksum_add(ConstBytes(out).subspan(54), pseudo_header_sum(out, layers, size))) ==
        0);
  CHECK(std::equal(out.begin() + 62, out.end(), frame.begin() + 14));
  CHECK(load32(&answer(frame, 1000)[58]) == 1280);
}

TEST_CASE("a short packet is quoted whole") {
  CHECK(answer(test::make_frame({.payload = 10})).size() == 14 + 28 + 50);
}

TEST_CASE("errors, groups, later fragments and non-IP are not answered") {
  const auto silent = [](auto change, FrameSpec spec = {.payload = 3000}) {
    Buffer frame = test::make_frame(spec);
    change(frame);
    return answer(frame).empty();
  };
  CHECK_FALSE(silent([](Buffer&) {}));
  CHECK(silent([](Buffer& frame) { frame[0] = std::byte{1}; }));     // group MAC
  CHECK(silent([](Buffer& frame) { frame[30] = std::byte{224}; }));  // multicast destination
  CHECK(silent([](Buffer& frame) { store32(&frame[26], 0); }));      // no source
  CHECK(silent([](Buffer& frame) { frame[21] = std::byte{9}; }));    // later fragment
  CHECK(silent([](Buffer& frame) { store16(&frame[12], ethertype_arp); }));
  const auto icmp = [](unsigned type) {
    return [type](Buffer& frame) {
      frame[23] = std::byte{protocol_icmp};
      frame[34] = std::byte(type);
    };
  };
  CHECK(silent(icmp(3)));
  CHECK(silent(icmp(11)));
  CHECK_FALSE(silent(icmp(8)));
  const auto icmp6 = [](unsigned type) {
    return [type](Buffer& frame) {
      frame[20] = std::byte{protocol_icmp6};
      frame[54] = std::byte(type);
    };
  };
  CHECK(silent(icmp6(2), {.ipv6 = true}));
  CHECK_FALSE(silent(icmp6(128), {.ipv6 = true}));
  CHECK(silent([](Buffer& frame) { frame[38] = std::byte{0xff}; }, {.ipv6 = true}));
}

TEST_CASE("DF and IPv6 forbid fragmentation") {
  const auto forbids = [](const FrameSpec& spec) {
    const Buffer frame = test::make_frame(spec);
    return must_not_fragment(frame, parse_frame(frame));
  };
  CHECK(forbids({.dont_fragment = true}));
  CHECK_FALSE(forbids({.dont_fragment = false}));
  CHECK(forbids({.ipv6 = true}));
  CHECK_FALSE(must_not_fragment(Buffer(60), parse_frame(Buffer(60))));
}

}  // namespace
}  // namespace weft
