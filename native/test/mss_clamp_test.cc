#include "packet/mss_clamp.h"

#include <doctest/doctest.h>

#include "frames.h"
#include "packet/checksum.h"

namespace weft {
namespace {

using test::Buffer;
using test::FrameSpec;

/// A SYN whose MSS option stands `nops` bytes behind the TCP header, checksum as asked.
Buffer syn(FrameSpec spec, std::uint16_t mss, std::size_t nops) {
  const auto checksum = spec.checksum;
  spec.checksum = test::Checksum::partial;
  spec.tcp_options = 8;
  spec.payload = 0;
  Buffer frame = test::make_frame(spec);
  const std::size_t at = parse_frame(frame).transport_offset + 20 + nops;
  store8(&frame[at], 2);
  store8(&frame[at + 1], 4);
  store16(&frame[at + 2], mss);
  if (checksum == test::Checksum::complete) {
    complete_checksum(frame, static_cast<std::uint16_t>(parse_frame(frame).transport_offset), 16);
  }
  return frame;
}

TEST_CASE("the MSS of a SYN is lowered to what the MTU leaves, and its checksum stays right") {
  for (const bool ipv6 : {false, true}) {
    for (const std::size_t nops : {0U, 1U, 2U, 3U}) {
      for (const auto checksum : {test::Checksum::partial, test::Checksum::complete}) {
        for (const unsigned flags : {0x02U, 0x12U}) {
          const FrameSpec spec{
              .ipv6 = ipv6, .tcp_flags = static_cast<std::uint8_t>(flags), .checksum = checksum};
          Buffer frame = syn(spec, 1460, nops);
          const Layers layers = parse_frame(frame);
          CHECK(clamp_mss(frame, layers, 1418, checksum == test::Checksum::partial));
          CHECK(load16(&frame[layers.transport_offset + 20 + nops + 2]) == 1418 - (ipv6 ? 60 : 40));
          CHECK(test::transport_checksum_right(frame, checksum));
        }
      }
    }
  }
}

TEST_CASE("an MSS that fits, a segment without SYN and a SYN without MSS stay as they are") {
  const auto unchanged = [](Buffer frame) {
    const Buffer before = frame;
    return !clamp_mss(frame, parse_frame(frame), 1418, true) && frame == before;
  };
  CHECK(unchanged(syn({.tcp_flags = 0x02}, 1378, 0)));
  CHECK(unchanged(syn({.tcp_flags = 0x10}, 1460, 0)));
  CHECK(unchanged(test::make_frame({.tcp_options = 8, .tcp_flags = 0x02})));
  CHECK(unchanged(test::make_frame({.udp = true})));
}

TEST_CASE("options that end, lie or overrun are harmless") {
  for (unsigned kind = 0; kind < 256; ++kind) {
    for (unsigned size = 0; size < 256; ++size) {
      Buffer frame = syn({.tcp_flags = 0x02}, 1460, 4);
      frame[54] = std::byte(kind);
      frame[55] = std::byte(size);
      clamp_mss(frame, parse_frame(frame), 1000, true);
    }
  }
  Buffer ended = syn({.tcp_flags = 0x02}, 1460, 1);
  ended[54] = std::byte{0};
  CHECK_FALSE(clamp_mss(ended, parse_frame(ended), 1000, true));
  Buffer cut_off = syn({.tcp_flags = 0x02}, 1460, 4);
  cut_off[46] = std::byte{0x60};  // the TCP header ends before the option
  CHECK_FALSE(clamp_mss(cut_off, parse_frame(cut_off), 1000, true));
}

}  // namespace
}  // namespace weft
