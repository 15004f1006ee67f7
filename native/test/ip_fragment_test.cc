#include "packet/superframe/ip_fragment.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "frames.h"
#include "packet/checksum.h"

namespace weft {
namespace {

using test::Buffer;

constexpr std::uint16_t more_fragments = 0x2000;

std::vector<Buffer> cut(const Buffer& frame, std::size_t max_frame) {
  std::vector<Buffer> pieces;
  const auto plan = IpFragmenter::plan(frame, parse_frame(frame), max_frame);
  if (!plan) return pieces;
  for (std::size_t i = 0; i < plan->count(); ++i) {
    pieces.emplace_back(plan->size(i));
    plan->write(i, pieces.back());
  }
  return pieces;
}

std::uint16_t fragmentation(const Buffer& frame, std::size_t network_offset) {
  return load16(&frame[network_offset + 6]);
}

Buffer fragmentable(std::size_t payload, unsigned vlan_tags = 0) {
  return test::make_frame({.udp = true,
                           .vlan_tags = vlan_tags,
                           .dont_fragment = false,
                           .payload = payload,
                           .checksum = test::Checksum::complete});
}

TEST_CASE("fragments put together by their offsets are the packet") {
  for (const unsigned vlan_tags : {0U, 1U}) {
    const Buffer frame = fragmentable(4000, vlan_tags);
    const std::size_t network = 14 + 4 * vlan_tags;
    const std::vector<Buffer> pieces = cut(frame, 1432);
    REQUIRE(pieces.size() == 3);
    Buffer together(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(network + 20));
    for (const Buffer& piece : pieces) {
      CHECK(piece.size() <= 1432);
      CHECK(test::ip_checksum_right(piece));
      CHECK(parse_frame(piece).network_end == piece.size());
      CHECK(
          std::equal(piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(network + 2), frame.begin()));
      const bool last = &piece == &pieces.back();
      CHECK(((fragmentation(piece, network) & more_fragments) == 0) == last);
      CHECK((fragmentation(piece, network) & 0x1fff) * 8 == together.size() - network - 20);
      together.insert(together.end(), piece.begin() + static_cast<std::ptrdiff_t>(network + 20), piece.end());
    }
    CHECK(together.size() == frame.size());
    CHECK(std::equal(together.begin() + static_cast<std::ptrdiff_t>(network + 20), together.end(),
                     frame.begin() + static_cast<std::ptrdiff_t>(network + 20)));
  }
}

TEST_CASE("a fragment is cut on from its own offset, and only the very last piece is the last") {
  const std::vector<Buffer> halves = cut(fragmentable(4000), 2100);
  REQUIRE(halves.size() == 2);
  const std::vector<Buffer> first = cut(halves[0], 1100);
  const std::vector<Buffer> second = cut(halves[1], 1100);
  CHECK((fragmentation(first.back(), 14) & more_fragments) != 0);
  CHECK((fragmentation(second.back(), 14) & more_fragments) == 0);
  CHECK((fragmentation(second.front(), 14) & 0x1fff) == (fragmentation(halves[1], 14) & 0x1fff));
}

TEST_CASE("what fits, must not be fragmented, has options or is not IPv4 is left alone") {
  CHECK(cut(fragmentable(1000), 1432).empty());
  CHECK(cut(test::make_frame({.udp = true, .payload = 4000}), 1432).empty());
  CHECK(cut(test::make_frame({.udp = true, .ip_options = 8, .dont_fragment = false, .payload = 4000}), 1432)
            .empty());
  CHECK(cut(test::make_frame({.ipv6 = true, .udp = true, .payload = 4000}), 1432).empty());
  CHECK(cut(fragmentable(4000), 40).empty());
}

}  // namespace
}  // namespace weft
