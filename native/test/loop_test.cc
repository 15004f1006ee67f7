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

LoopNumber number(unsigned value) {
  return {static_cast<std::byte>(value)};
}

// A router that has just sent a probe.
struct Sender {
  explicit Sender(Micros now) { loop.sent(number(1), now); }
  bool heard(PeerId from, Micros now, unsigned value = 1) {
    return loop.heard(self, from, number(value), now);
  }
  LoopGuard loop;
};

TEST_CASE("a loop probe is read as it was written, and nothing else is one") {
  std::array<std::byte, loop_probe_size> frame;
  const LoopProbe probe{0x0123456789abcdef, 7, number(3)};
  encode(probe, frame);
  CHECK(decode_loop_probe(frame) == probe);
  CHECK(is_group(destination_mac(frame)));
  CHECK_FALSE(is_group(source_mac(frame)));
  for (std::size_t size = 0; size < loop_probe_size; ++size)
    CHECK_FALSE(decode_loop_probe(ConstBytes{frame}.first(size)).has_value());
  for (std::size_t at = 12; at < 24; ++at) {
    auto other = frame;
    other[at] ^= std::byte{1};
    CHECK_FALSE(decode_loop_probe(other).has_value());
  }
}

TEST_CASE(
    "a hail is read as it was written, and is no loop probe, though it looks like one of another version") {
  std::array<std::byte, loop_probe_size> frame;
  const Hail hail{0x0123456789abcdef, 7, 0x89abcdef};
  encode(hail, frame);
  CHECK(decode_hail(frame) == hail);
  CHECK(is_loop_probe(frame));
  CHECK_FALSE(decode_loop_probe(frame).has_value());
  encode(LoopProbe{1, 7, number(3)}, frame);
  CHECK_FALSE(decode_hail(frame).has_value());
}

TEST_CASE("of two routers joined beside the tunnel the one with the lower id goes on") {
  Sender sender(second);
  CHECK(sender.heard(high, second));
  CHECK_FALSE(sender.loop.muted());
  CHECK(sender.loop.with() == high);
  CHECK(sender.heard(low, 2 * second));
  CHECK(sender.loop.muted());
  CHECK(sender.loop.with() == low);
  CHECK_FALSE(sender.heard(low, 3 * second));
}

TEST_CASE("a loop is over when nothing was seen of it for a while") {
  Sender sender(second);
  sender.heard(low, second);
  sender.loop.sent(number(2), 4 * second);
  sender.heard(high, 5 * second, 2);
  CHECK_FALSE(sender.loop.over(second + LoopGuard::hold - 1));
  CHECK(sender.loop.over(second + LoopGuard::hold));
  CHECK_FALSE(sender.loop.muted());
  CHECK_FALSE(sender.loop.over(second + LoopGuard::hold));
  sender.loop.sent(number(3), 20 * second);
  CHECK(sender.heard(low, 20 * second, 3));
}

TEST_CASE("a probe that comes back is enough: no more are sent while it circles") {
  Sender sender(second);
  CHECK_FALSE(sender.loop.due(second + 1));
  CHECK(sender.loop.due(2 * second));
  CHECK(sender.heard(self, second + 1));
  CHECK(sender.loop.muted());
  CHECK_FALSE(sender.loop.due(3 * second));
  CHECK(sender.loop.due(second + 1 + LoopGuard::hold));
}

TEST_CASE("a probe that circles without end goes on counting") {
  Sender sender(second);
  for (Micros now = second; now < 60 * second; now += 2 * second) {
    sender.heard(self, now);
    CHECK(sender.loop.muted());
    CHECK_FALSE(sender.loop.over(now + second));
  }
}

TEST_CASE("a probe whose number was never sent counts as nobody's") {
  LoopGuard idle;
  CHECK_FALSE(idle.heard(self, self, LoopNumber{}, second));
  Sender sender(second);
  for (const PeerId from : {low, self, high})
    CHECK_FALSE(sender.heard(from, second, 2));
  CHECK_FALSE(sender.loop.muted());
  CHECK_FALSE(sender.loop.with());
}

TEST_CASE("a probe that somebody kept counts for some seconds only, while each that was sent counts") {
  Sender sender(second);
  sender.loop.sent(number(2), 2 * second);
  sender.loop.sent(number(3), 3 * second);
  CHECK_FALSE(sender.heard(self, second + LoopGuard::fresh));
  CHECK_FALSE(sender.loop.muted());
  CHECK(sender.heard(self, second + LoopGuard::fresh, 2));
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
