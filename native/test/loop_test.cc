#include <doctest/doctest.h>

#include "packet/messages/loop_probe.h"
#include "switch/loop_guard.h"
#include "switch/storm_control.h"

namespace weft {
namespace {

constexpr Micros second = microseconds_per_second;
constexpr PeerId low = 1;
constexpr PeerId self = 5;
constexpr PeerId high = 9;

TEST_CASE("a loop probe is read as it was written, and nothing else is one") {
  std::array<std::byte, loop_probe_size> frame;
  encode(LoopProbe{0x0123456789abcdef, 7}, frame);
  CHECK(decode_loop_probe(frame) == LoopProbe{0x0123456789abcdef, 7});
  CHECK(is_group(destination_mac(frame)));
  CHECK_FALSE(is_group(source_mac(frame)));
  for (std::size_t size = 0; size < 34; ++size)
    CHECK_FALSE(decode_loop_probe(ConstBytes{frame}.first(size)).has_value());
  for (std::size_t at = 12; at < 24; ++at) {
    auto other = frame;
    other[at] ^= std::byte{1};
    CHECK_FALSE(decode_loop_probe(other).has_value());
  }
}

TEST_CASE("of two routers joined beside the tunnel the one with the lower id goes on") {
  LoopGuard loop;
  CHECK(loop.heard(self, high, second));
  CHECK_FALSE(loop.muted());
  CHECK(loop.with() == high);
  CHECK(loop.heard(self, low, 2 * second));
  CHECK(loop.muted());
  CHECK(loop.with() == low);
  CHECK_FALSE(loop.heard(self, low, 3 * second));
}

TEST_CASE("a loop is over when nothing was seen of it for a while") {
  LoopGuard loop;
  loop.heard(self, low, second);
  loop.heard(self, high, 5 * second);
  CHECK_FALSE(loop.over(second + LoopGuard::hold - 1));
  CHECK(loop.over(second + LoopGuard::hold));
  CHECK_FALSE(loop.muted());
  CHECK_FALSE(loop.over(second + LoopGuard::hold));
  CHECK(loop.heard(self, low, 20 * second));
}

TEST_CASE("a probe that comes back is enough: no more are sent while it circles") {
  LoopGuard loop;
  CHECK(loop.due(second));
  CHECK_FALSE(loop.due(second + 1));
  CHECK(loop.heard(self, self, second + 1));
  CHECK(loop.muted());
  CHECK_FALSE(loop.due(3 * second));
  CHECK(loop.due(second + 1 + LoopGuard::hold));
}

TEST_CASE("a segment's floods are limited, each segment's by itself") {
  StormControl floods;
  std::uint32_t limit = 5000;
  const auto admitted = [&](std::uint16_t network, Micros now, unsigned tries) {
    unsigned count = 0;
    for (unsigned i = 0; i < tries; ++i)
      count += floods.admit(network, limit, now) ? 1 : 0;
    return count;
  };
  CHECK(admitted(0, second, 20'000) == limit);
  CHECK(admitted(1, second, 10) == 10);
  CHECK(admitted(0, second + 100'000, 20'000) == limit / 10);
  CHECK(admitted(0, 100 * second, 20'000) == limit);
  limit = 9000;
  CHECK(admitted(0, 101 * second, 20'000) == limit);
  limit = 10;
  CHECK(admitted(0, 102 * second, 20'000) == limit);
  limit = 0;
  CHECK(admitted(0, 102 * second, 20'000) == 20'000);
}

TEST_CASE("a storm is news once a second, each segment's by itself") {
  StormControl floods;
  CHECK(floods.is_news(0, second));
  CHECK_FALSE(floods.is_news(0, 2 * second - 1));
  CHECK(floods.is_news(1, 2 * second - 1));
  CHECK(floods.is_news(0, 2 * second));
}

}  // namespace
}  // namespace weft
