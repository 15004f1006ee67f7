#include <doctest/doctest.h>

#include "path/kernel/kernel_path.h"

namespace weft {
namespace {

constexpr Micros ms = microseconds_per_millisecond;
constexpr Micros second = microseconds_per_second;

// A path on a wire with a round trip of 1 ms, which can be cut.
struct Wire {
  Micros now = 1000 * second;
  KernelPath path{7, now};
  bool cut = false;
  unsigned ups = 0;
  unsigned downs = 0;

  // What the forwarder does until then, in steps of 5 ms.
  void run(Micros duration) {
    for (const Micros until = now + duration; now < until; now += 5 * ms) {
      if (path.poll(now)) ++downs;
      if (!path.due(now)) continue;
      const std::uint32_t number = path.probe(0, now);
      if (!cut && path.answered(number, now + ms)) ++ups;
    }
  }
};

Wire risen() {
  Wire wire;
  wire.run(second);
  REQUIRE(wire.path.up());
  return wire;
}

TEST_CASE("a kernel path is up after three answers in a row") {
  Wire wire;
  CHECK(wire.path.due(wire.now));
  for (const bool rises : {false, false, true}) {
    CHECK_FALSE(wire.path.up());
    const auto number = wire.path.probe(0, wire.now);
    CHECK(wire.path.answered(number, wire.now + ms) == rises);
    wire.now += 200 * ms;
  }
  CHECK(wire.path.up());
  CHECK(wire.path.rtt().smoothed() == ms);
  CHECK(wire.path.probes() == 3);
  CHECK(wire.path.answers() == 3);
}

TEST_CASE("a lost probe breaks the row") {
  Wire wire;
  for (const bool answered : {true, true, false, true, true}) {
    const auto number = wire.path.probe(0, wire.now);
    if (answered) CHECK_FALSE(wire.path.answered(number, wire.now + ms));
    wire.now += 200 * ms;
  }
  const auto number = wire.path.probe(0, wire.now);
  CHECK(wire.path.answered(number, wire.now + ms));
}

TEST_CASE("only what was asked is an answer, and once") {
  Wire wire;
  const auto number = wire.path.probe(0, wire.now);
  CHECK_FALSE(wire.path.answered(number + 1, wire.now));
  CHECK_FALSE(wire.path.answered(number - 1, wire.now));
  CHECK(wire.path.answers() == 0);
  for (int i = 0; i < 5; ++i)
    CHECK_FALSE(wire.path.answered(number, wire.now));
  CHECK(wire.path.answers() == 1);
}

TEST_CASE("answers to probes of long ago do not count") {
  Wire wire;
  const auto number = wire.path.probe(0, wire.now);
  for (int i = 0; i < 8; ++i)
    wire.path.probe(0, wire.now);
  CHECK_FALSE(wire.path.answered(number, wire.now));
  CHECK(wire.path.answers() == 0);
}

TEST_CASE("a path that is up goes down after half a second of silence") {
  Wire wire = risen();
  wire.cut = true;
  wire.run(390 * ms);
  CHECK(wire.path.up());
  wire.run(120 * ms);
  CHECK_FALSE(wire.path.up());
  CHECK(wire.downs == 1);
}

TEST_CASE("a few lost probes do not take a path down") {
  Wire wire = risen();
  for (int i = 0; i < 20; ++i) {
    wire.cut = true;
    wire.run(350 * ms);
    wire.cut = false;
    wire.run(150 * ms);
  }
  CHECK(wire.downs == 0);
}

TEST_CASE("a path that was cut comes back in less than a second, or three after a long time") {
  for (const Micros length : {second, 60 * second}) {
    Wire wire = risen();
    wire.cut = true;
    wire.run(length);
    REQUIRE_FALSE(wire.path.up());
    wire.cut = false;
    wire.run(length == second ? second : 3 * second);
    CHECK(wire.path.up());
    CHECK(wire.downs == 1);
  }
}

TEST_CASE("a path that stays down is probed ever less, but not less than once in two seconds") {
  Wire wire;
  wire.cut = true;
  wire.run(3 * second);
  CHECK(wire.path.probes() == 15);
  wire.run(20 * second);
  CHECK(wire.path.probes() == 25);
}

TEST_CASE("a forwarder that did not run for a while does not blame the path") {
  for (const Micros pause : {300 * ms, 600 * ms, 10 * second}) {
    Wire wire = risen();
    wire.now += pause;
    wire.run(2 * second);
    CHECK(wire.downs == 0);
  }
}

TEST_CASE("nor does a pause hide a cut for longer than it lasts") {
  Wire wire = risen();
  wire.cut = true;
  wire.now += 2 * second;
  wire.run(510 * ms);
  CHECK(wire.downs == 1);
}

TEST_CASE("a path whose probes cannot leave is down at once, and is told once") {
  Wire wire = risen();
  CHECK(wire.path.fail(wire.now));
  CHECK_FALSE(wire.path.up());
  CHECK_FALSE(wire.path.fail(wire.now));
  wire.run(second);
  CHECK(wire.path.up());
}

TEST_CASE("probes of paths that were set together do not stay together") {
  Wire one = risen();
  Wire other = risen();
  one.path.probe(3, one.now);
  other.path.probe(19, other.now);
  CHECK(one.path.deadline() != other.path.deadline());
  CHECK(one.path.deadline() <= one.now + KernelPath::up_pause);
  CHECK(other.path.deadline() >= other.now + KernelPath::up_pause * 8 / 10);
}

TEST_CASE("however much strangers send, a thousand messages a second are opened") {
  Wire wire;
  const auto opened_in = [&](Micros duration) {
    unsigned opened = 0;
    for (const Micros until = wire.now + duration; wire.now < until; wire.now += 1)
      if (wire.path.may_open(wire.now)) ++opened;
    return opened;
  };
  CHECK(opened_in(ms) >= 1000);
  const unsigned later = opened_in(2 * second);
  CHECK(later >= 1998);
  CHECK(later <= 2000);
}

}  // namespace
}  // namespace weft
