#include "path/port_spread.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

namespace weft {
namespace {

constexpr Micros ms = microseconds_per_millisecond;
constexpr std::size_t full = 1500;

/// A world in virtual time, in which probes are answered after 2 ms from the ports that get through.
struct World {
  void run(Micros duration) {
    for (const Micros end = now + duration; now < end; now += ms) {
      for (; !answers.empty() && answers.begin()->first <= now; answers.erase(answers.begin()))
        spread.answered(answers.begin()->second, same_address, now);
      sent += per_millisecond;
      if (now < next_sweep && now < spread.deadline()) continue;
      if (now >= next_sweep) next_sweep = now + Liveness::busy_keepalive;
      for (const unsigned port : spread.poll(packet_size, sent, now))
        probe(port);
    }
  }
  void probe(unsigned port) {
    ++probes;
    spread.asked(port, ++last_id, now);
    const bool lost = lose_every != 0 && probes % lose_every == 0;
    if (!blocked.contains(port) && !lost && packet_size <= carried[port])
      answers.emplace(now + 2 * ms, last_id);
  }

  PortSpread spread{4};
  Micros now = 1'000'000;
  Micros next_sweep = 0;
  std::uint64_t sent = 0;
  std::uint64_t per_millisecond = 1;
  std::size_t packet_size = full;
  std::set<unsigned> blocked;
  std::map<unsigned, std::size_t> carried{{1, full}, {2, full}, {3, full}};
  bool same_address = true;
  int lose_every = 0;
  int probes = 0;
  std::uint32_t last_id = 0;
  std::multimap<Micros, std::uint32_t> answers;
};

TEST_CASE("ports are used once they answered, while there is traffic worth spreading") {
  World world;
  world.per_millisecond = 0;
  world.run(10'000 * ms);
  CHECK(world.probes == 0);
  world.per_millisecond = 1;
  world.run(500 * ms);
  CHECK(world.spread.usable() == 0b1110);
  world.per_millisecond = 0;
  world.run(9'000 * ms);
  CHECK(world.spread.usable() == 0b1110);
  world.run(3'000 * ms);
  CHECK(world.spread.usable() == 0);
  CHECK_FALSE(world.spread.asking());
  const int before = world.probes;
  world.run(10'000 * ms);
  CHECK(world.probes == before);
}

TEST_CASE("a port that is blocked is left within a second, the others stay, and it comes back") {
  World world;
  world.run(5'000 * ms);
  world.blocked = {2};
  world.run(800 * ms);
  CHECK(world.spread.usable() == 0b1010);
  world.run(700 * ms);
  world.blocked = {};
  world.run(2'000 * ms);
  CHECK(world.spread.usable() == 0b1110);
}

TEST_CASE("ports that never answer are asked at a falling pace") {
  World world;
  world.blocked = {1, 2, 3};
  world.run(120'000 * ms);
  CHECK(world.spread.usable() == 0);
  CHECK(world.spread.asking());
  CHECK(world.probes >= 3 * 6);
  CHECK(world.probes <= 3 * 10);
}

TEST_CASE("a port is used only if packets of full size get through, also when they grow") {
  World world;
  world.carried[1] = 1400;
  world.run(1'000 * ms);
  CHECK(world.spread.usable() == 0b1100);
  world.packet_size = 9000;
  world.carried[3] = 9000;
  world.run(1'000 * ms);
  CHECK(world.spread.usable() == 0b1000);
}

TEST_CASE("a port that the peer sees at another address is not used") {
  World world;
  world.same_address = false;
  world.run(5'000 * ms);
  CHECK(world.spread.usable() == 0);
}

TEST_CASE("one lost packet in ten is no reason to leave a port") {
  World world;
  world.run(1'000 * ms);
  world.lose_every = 10;
  for (int i = 0; i < 600; ++i) {
    world.run(100 * ms);
    REQUIRE(world.spread.usable() == 0b1110);
  }
}

TEST_CASE("on another path ports are asked anew, and late answers of the former do not count") {
  World world;
  world.run(1'000 * ms);
  const std::uint32_t former = world.last_id;
  world.spread.stop();
  CHECK(world.spread.usable() == 0);
  CHECK_FALSE(world.spread.answered(former, true, world.now));
  world.run(250 * ms);
  CHECK(world.spread.usable() == 0b1110);
}

TEST_CASE("with the router's own port alone nothing is asked") {
  PortSpread alone{1};
  CHECK(alone.poll(full, 1'000'000, 1'000'000).empty());
  CHECK(alone.poll(full, 2'000'000, 2'000'000).empty());
  CHECK(alone.usable() == 0);
  CHECK_FALSE(alone.asking());
}

}  // namespace
}  // namespace weft
