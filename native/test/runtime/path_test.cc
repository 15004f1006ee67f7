#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <optional>

#include "path/path.h"

namespace weft {
namespace {

Endpoint at(const char* text) {
  return Endpoint::parse(text).value();
}

constexpr Micros ms = microseconds_per_millisecond;
/// A probe that is not padded, with its headers.
constexpr std::size_t small_packet = 100;

/// A world in virtual time: probes sent are answered after the round trip of the address, if it answers.
class World : public PathObserver {
 public:
  struct Address {
    Micros rtt;
    std::size_t mtu = 1500;
    bool alive = true;
  };

  struct Answer {
    Micros when;
    std::uint32_t id;
    Endpoint seen;
  };

  ProbeResult send_probe(const ProbeOrder& order) override {
    ++probes;
    if (order.packet_size > local_mtu) return ProbeResult::too_big;
    const Address* address = &relay;
    if (order.way == Way::direct) address = find(order.to);
    if (order.way == Way::stream) address = &stream;
    if (order.way == Way::direct && answers_to && order.from != *answers_to) address = nullptr;
    const std::optional<Micros> queued = queue(std::max(order.packet_size, small_packet));
    const bool lost = !queued || (lose_every != 0 && probes % lose_every == 0);
    if (address != nullptr && address->alive && !lost && order.packet_size <= address->mtu)
      answers.push_back({now + *queued + address->rtt, order.id, order.to.is_ipv4() ? seen_ipv4 : seen_ipv6});
    return ProbeResult::sent;
  }
  /// How long a packet waits for the wire and is on it; nothing if the queue is full.
  std::optional<Micros> queue(std::size_t size) {
    if (per_byte == 0) return 0;
    const Micros begin = std::max(now, drained_at);
    const Micros end = begin + size * per_byte;
    if (end > now + longest_queue) return std::nullopt;
    drained_at = end;
    return drained_at - now;
  }
  void path_up() override { ++ups; }
  void path_down() override {
    ++downs;
    down_at = now;
  }
  void endpoint_changed(bool roamed) override { ++(roamed ? roams : choices); }
  void source_changed() override { ++sources; }
  void transport_changed() override { ++transports; }
  void direct_changed(bool direct) override { directs.push_back(direct); }
  void probe_answered(std::uint32_t id, Micros rtt) override { asked.emplace_back(id, rtt); }
  void path_mtu_changed() override { ++mtu_changes; }
  void observed_changed() override { ++observations; }
  void ports_changed() override { ++port_changes; }

  void run(Micros duration) {
    for (const Micros end = now + duration; now < end; now += ms) {
      const auto due =
          std::stable_partition(answers.begin(), answers.end(), [&](const auto& a) { return a.when > now; });
      std::vector<Answer> ready(due, answers.end());
      answers.erase(due, answers.end());
      for (const Answer& answer : ready)
        path.on_reply(answer.id, answer.seen, now);
      if (crowded && now % (47 * ms) == 0) queue(1000);
      const bool sweep = now >= next_sweep;
      if (sweep) next_sweep = now + Liveness::busy_keepalive;
      if (sweep || path.deadline() <= now) path.poll(now, sent += busy ? sent_at_once : 0);
    }
  }
  /// The peer has one address, for so long.
  void run_with(const Endpoint& endpoint, Address address, Micros duration) {
    addresses = {{endpoint, address}};
    path.set_candidates({endpoint}, now);
    path.set_ready(true, now);
    run(duration);
  }
  const Address* find(const Endpoint& endpoint) const {
    for (const auto& [known, address] : addresses)
      if (known == endpoint) return &address;
    return nullptr;
  }

  Micros now = 1'000'000;
  Micros next_sweep = 0;
  std::vector<std::pair<Endpoint, Address>> addresses;
  Address relay{5 * ms};
  Address stream{3 * ms};
  std::size_t local_mtu = 9000;
  bool busy = true;
  std::uint64_t sent = 0;
  std::uint64_t sent_at_once = 1;
  /// Of the wire, if it is slow; somebody else fills it with 170 kbit/s.
  Micros per_byte = 0;
  Micros longest_queue = 2500 * ms;
  bool crowded = false;
  Micros drained_at = 0;
  /// Address of ours from which alone packets reach the peer, if there is such a one.
  std::optional<IpAddress> answers_to;
  /// Where the peer sees us.
  Endpoint seen_ipv4 = at("192.0.2.1:1");
  Endpoint seen_ipv6 = at("[2001:db8::1]:1");
  std::vector<Answer> answers;
  std::vector<bool> directs;
  std::vector<std::pair<std::uint32_t, Micros>> asked;
  int lose_every = 0;
  int probes = 0, ups = 0, downs = 0, roams = 0, choices = 0, mtu_changes = 0, observations = 0,
      transports = 0, sources = 0, port_changes = 0;
  Micros down_at = 0;
  Path path{*this, 100, 4};
};

const Endpoint near_address = at("192.0.2.10:6783");
const Endpoint far_address = at("192.0.2.20:6783");

TEST_CASE("nothing is sent before there is a key") {
  World world;
  world.addresses = {{near_address, {1 * ms}}};
  world.path.set_candidates({near_address}, world.now);
  world.run(5000 * ms);
  CHECK(world.probes == 0);
}

TEST_CASE("the first address that answers is used, and the path is up") {
  World world;
  world.addresses = {{near_address, {1 * ms}}, {far_address, {30 * ms}}};
  world.path.set_candidates({far_address, near_address}, world.now);
  world.path.set_ready(true, world.now);
  world.run(20 * ms);
  CHECK(world.path.up());
  CHECK(world.path.endpoint() == near_address);
  CHECK(world.observations == 1);
}

TEST_CASE("where the peer sees us is news once over IPv4 and once over IPv6, and when it changes") {
  World world;
  const Endpoint other_family = at("[2001:db8::10]:6783");
  world.addresses = {{near_address, {1 * ms}}, {other_family, {1 * ms}}};
  world.path.set_candidates({near_address, other_family}, world.now);
  world.path.set_ready(true, world.now);
  world.run(60'000 * ms);
  CHECK(world.observations == 2);
  world.seen_ipv6 = at("[2001:db8::2]:1");
  world.run(60'000 * ms);
  CHECK(world.observations == 3);
  CHECK(world.path.observed() == world.seen_ipv6);
}

TEST_CASE("addresses that do not answer are probed at a falling pace") {
  World world;
  world.path.set_candidates({near_address}, world.now);
  world.path.set_ready(true, world.now);
  world.run(1000 * ms);
  const int first = world.probes;
  CHECK(first >= 3);
  world.run(60'000 * ms);
  const int probes = world.probes - first;
  CHECK(probes >= 25);
  CHECK(probes <= 40);
}

TEST_CASE("a path under traffic is down within 700 ms of a cut, and up again soon after it heals") {
  World world;
  world.addresses = {{near_address, {1 * ms}}};
  world.path.set_candidates({near_address}, world.now);
  world.path.set_ready(true, world.now);
  world.run(5000 * ms);
  const Micros cut = world.now;
  world.addresses[0].second.alive = false;
  world.run(10'000 * ms);
  CHECK(world.downs == 1);
  CHECK(world.down_at - cut >= 400 * ms);
  CHECK(world.down_at - cut <= 700 * ms);
  world.addresses[0].second.alive = true;
  world.run(300 * ms);
  CHECK(world.path.up());
  CHECK(world.ups == 2);
}

TEST_CASE("an idle path is probed once a second, and its cut is noticed by the next probe") {
  World world;
  world.busy = false;
  world.addresses = {{near_address, {1 * ms}}};
  world.path.set_candidates({near_address}, world.now);
  world.path.set_ready(true, world.now);
  world.run(20'000 * ms);
  const int before = world.probes;
  world.run(10'000 * ms);
  CHECK(world.probes - before <= 11);
  const Micros cut = world.now;
  world.addresses[0].second.alive = false;
  world.run(5000 * ms);
  CHECK(world.downs == 1);
  CHECK(world.down_at - cut <= 1600 * ms);
}

TEST_CASE("a path that loses one packet in ten each way, or whose peer pauses, is not down") {
  World world;
  world.addresses = {{near_address, {20 * ms}}};
  world.path.set_candidates({near_address}, world.now);
  world.path.set_ready(true, world.now);
  world.run(2000 * ms);
  world.lose_every = 5;
  world.run(300'000 * ms);
  world.lose_every = 0;
  for (int i = 0; i < 10; ++i) {
    world.addresses[0].second.alive = false;
    world.run(300 * ms);
    world.addresses[0].second.alive = true;
    world.run(2000 * ms);
  }
  CHECK(world.downs == 0);
}

TEST_CASE("a forwarder that was kept from running does not blame the path") {
  World world;
  world.addresses = {{near_address, {1 * ms}}};
  world.path.set_candidates({near_address}, world.now);
  world.path.set_ready(true, world.now);
  world.run(5000 * ms);
  world.now += 10'000 * ms;
  world.path.poll(world.now, ++world.sent);
  world.run(5000 * ms);
  CHECK(world.downs == 0);
}

TEST_CASE("another address takes over before the path is down") {
  World world;
  world.addresses = {{near_address, {1 * ms}}, {far_address, {20 * ms}}};
  world.path.set_candidates({near_address, far_address}, world.now);
  world.path.set_ready(true, world.now);
  world.run(3000 * ms);
  world.addresses[0].second.alive = false;
  world.run(3000 * ms);
  CHECK(world.path.endpoint() == far_address);
  CHECK(world.path.up());
  CHECK(world.downs == 0);
}

TEST_CASE("a probe that is lost now and then is no reason to leave an address for another") {
  World world;
  world.addresses = {{near_address, {1 * ms}}, {far_address, {2 * ms}}};
  world.path.set_candidates({near_address, far_address}, world.now);
  world.path.set_ready(true, world.now);
  world.run(3000 * ms);
  const int choices = world.choices;
  world.lose_every = 7;
  world.run(300'000 * ms);
  CHECK(world.choices == choices);
  CHECK(world.path.endpoint() == near_address);
  CHECK(world.downs == 0);
}

TEST_CASE("a peer that is heard from several addresses and reached at none is not followed to and fro") {
  World world;
  world.addresses = {{near_address, {1 * ms}}, {far_address, {2 * ms}}};
  world.path.set_candidates({near_address, far_address}, world.now);
  world.path.set_ready(true, world.now);
  world.run(3000 * ms);
  const int moves = world.choices + world.roams;
  for (auto& [endpoint, address] : world.addresses)
    address.alive = false;
  for (int i = 0; i < 100; ++i) {
    world.path.on_source(i % 2 == 0 ? far_address : near_address, {}, i % 3 != 0, world.now);
    world.run(20 * ms);
  }
  CHECK(world.choices + world.roams == moves);
  CHECK(world.downs == 1);
  world.addresses[1].second.alive = true;
  world.path.on_source(far_address, {}, true, world.now);
  world.run(100 * ms);
  CHECK(world.path.up());
  CHECK(world.path.endpoint() == far_address);
}

TEST_CASE("a slightly faster address changes nothing, a much faster one wins after several answers") {
  World world;
  world.addresses = {{near_address, {40 * ms}}, {far_address, {60 * ms}}};
  world.path.set_candidates({near_address, far_address}, world.now);
  world.path.set_ready(true, world.now);
  world.run(2000 * ms);
  REQUIRE(world.path.endpoint() == near_address);
  world.addresses[1].second.rtt = 35 * ms;
  world.run(60'000 * ms);
  CHECK(world.path.endpoint() == near_address);
  world.addresses[1].second.rtt = 5 * ms;
  world.run(15'000 * ms);
  CHECK(world.path.endpoint() == far_address);
}

TEST_CASE("packets from an unknown address move the endpoint, probes from a known one do not") {
  World world;
  world.addresses = {{near_address, {1 * ms}}, {far_address, {20 * ms}}};
  world.path.set_candidates({near_address, far_address}, world.now);
  world.path.set_ready(true, world.now);
  world.run(2000 * ms);
  world.path.on_source(far_address, {}, true, world.now);
  world.path.on_source(far_address, {}, false, world.now);
  CHECK(world.path.endpoint() == near_address);
  world.path.on_source(at("203.0.113.5:4444"), {}, true, world.now);
  CHECK(world.path.endpoint() == near_address);
  world.path.on_source(at("203.0.113.5:4444"), {}, false, world.now);
  CHECK(world.path.endpoint() == at("203.0.113.5:4444"));
  CHECK(world.roams == 1);
}

TEST_CASE("a peer without known addresses is found where its packets come from") {
  World world;
  world.addresses = {{near_address, {1 * ms}}};
  world.path.set_ready(true, world.now);
  world.path.on_source(near_address, {}, true, world.now);
  world.run(100 * ms);
  CHECK(world.path.up());
  CHECK(world.path.endpoint() == near_address);
}

TEST_CASE("a peer that is reached from one address only is reached from that, once it is heard there") {
  World world;
  const IpAddress uplink = IpAddress::parse("198.51.100.1").value();
  world.answers_to = uplink;
  world.run_with(near_address, {1 * ms}, 3000 * ms);
  REQUIRE_FALSE(world.path.up());
  world.path.on_source(near_address, uplink, true, world.now);
  world.run(3000 * ms);
  CHECK(world.path.up());
  CHECK(world.path.source() == uplink);
  CHECK(world.path.mtu() == 1500);
  CHECK(world.downs == 0);
  CHECK(world.sources == 1);
  world.answers_to = IpAddress{};
  world.run(10'000 * ms);
  CHECK(world.path.up());
  CHECK(world.path.source().empty());
}

TEST_CASE("a peer that answers late, or not each time, is sent to from one address") {
  for (const Micros rtt : {1 * ms, 300 * ms, 1500 * ms}) {
    CAPTURE(rtt);
    World world;
    world.path.on_source(near_address, IpAddress::parse("198.51.100.1").value(), true, world.now);
    world.lose_every = 4;
    world.run_with(near_address, {rtt}, 30'000 * ms);
    CHECK(world.path.up());
    CHECK(world.sources <= 1);
  }
}

TEST_CASE("a slow wire is not taken for a dead one, idle or full") {
  World world;
  world.busy = false;
  world.local_mtu = 1500;
  world.per_byte = 125;  // 64 kbit/s
  world.run_with(near_address, {20 * ms}, 30'000 * ms);
  CHECK(world.path.up());
  CHECK(world.downs == 0);
  CHECK(world.path.mtu() == 1500);
  world.busy = true;
  world.crowded = true;
  world.run(5000 * ms);
  const int downs = world.downs;
  const int probes = world.probes;
  world.run(60'000 * ms);
  CHECK(world.path.up());
  CHECK(world.downs == downs);
  CHECK(world.probes - probes < 60 * 12);
}

TEST_CASE("usual path MTUs are found in one round trip, any other to the byte") {
  for (const std::size_t mtu :
       {1280UL, 1281UL, 1337UL, 1400UL, 1420UL, 1499UL, 1500UL, 1501UL, 8999UL, 9000UL}) {
    CAPTURE(mtu);
    World world;
    world.run_with(near_address, {2 * ms, mtu}, 30 * ms);
    CHECK(world.path.mtu() >= std::min<std::size_t>(mtu, mtu < 1380 ? 1280 : mtu < 1500 ? mtu - 20 : 1500));
    world.run(20'000 * ms);
    CHECK(world.path.mtu() == mtu);
  }
}

TEST_CASE("a path that carries less than every path should is found out within seconds") {
  for (const std::size_t mtu : {640UL, 641UL, 700UL, 1006UL, 1279UL}) {
    CAPTURE(mtu);
    World world;
    world.run_with(near_address, {2 * ms, mtu}, 20'000 * ms);
    CHECK(world.path.mtu() == mtu);
    CHECK(world.downs == 0);
  }
}

TEST_CASE("a path that shrinks below what every path should carry is noticed, and that it grows again") {
  World world;
  world.run_with(near_address, {2 * ms, 1500}, 10'000 * ms);
  world.addresses[0].second.mtu = 700;
  world.run(20'000 * ms);
  CHECK(world.path.mtu() == 700);
  world.addresses[0].second.mtu = 1500;
  world.run(600'000 * ms);
  CHECK(world.path.mtu() == 1500);
}

TEST_CASE("the local interface's limit is found without waiting") {
  World world;
  world.local_mtu = 4321;
  world.run_with(near_address, {2 * ms, 65'000}, 200 * ms);
  CHECK(world.path.mtu() == 4321);
}

TEST_CASE("a path that shrinks is noticed while traffic flows") {
  World world;
  world.run_with(near_address, {2 * ms, 1500}, 10'000 * ms);
  REQUIRE(world.path.mtu() == 1500);
  world.addresses[0].second.mtu = 1400;
  world.run(8000 * ms);
  CHECK(world.path.mtu() == 1400);
  CHECK(world.downs == 0);
}

TEST_CASE("a packet that the interface refused starts a new search at once") {
  World world;
  world.run_with(near_address, {2 * ms, 1500}, 5000 * ms);
  REQUIRE(world.path.mtu() == 1500);
  world.local_mtu = 1450;
  world.path.on_too_big(1500, world.now);
  CHECK(world.path.mtu() == 1280);
  world.run(50 * ms);
  CHECK(world.path.mtu() == 1450);
}

TEST_CASE("further ports are used on a direct path only, and asked anew on another") {
  World world;
  world.sent_at_once = 1000;
  world.addresses = {{near_address, {1 * ms}}, {far_address, {3 * ms}}};
  world.path.set_candidates({near_address, far_address}, world.now);
  world.path.set_ready(true, world.now);
  world.run(2000 * ms);
  CHECK(world.path.spread().usable() == 0b1110);
  CHECK(world.port_changes > 0);
  world.addresses[0].second.alive = false;
  for (int i = 0; i < 2000 && world.path.endpoint() == near_address; ++i)
    world.run(1 * ms);
  CHECK(world.path.endpoint() == far_address);
  CHECK(world.path.spread().usable() == 0);
  world.run(1000 * ms);
  CHECK(world.path.spread().usable() == 0b1110);
  world.path.set_relayed(true, true, world.now);
  CHECK(world.path.spread().usable() == 0);
  world.run(1000 * ms);
  CHECK(world.path.spread().usable() == 0);
}

TEST_CASE("loss is the share of unanswered keepalives") {
  World world;
  world.addresses = {{near_address, {1 * ms}}};
  world.path.set_candidates({near_address}, world.now);
  world.path.set_ready(true, world.now);
  world.run(20'000 * ms);
  CHECK(world.path.loss() == 0.0);
  world.addresses[0].second.alive = false;
  world.run(5000 * ms);
  CHECK(world.path.loss() > 0.2);
  CHECK(world.path.loss() < 1.0);
}

TEST_CASE("the round trip is smoothed as TCP does it") {
  RoundTrip rtt;
  CHECK_FALSE(rtt.known());
  rtt.sample(8000);
  CHECK(rtt.smoothed() == 8000);
  CHECK(rtt.variance() == 4000);
  rtt.sample(16'000);
  CHECK(rtt.smoothed() == 9000);
  CHECK(rtt.variance() == 5000);
}

// Up through the relay; the address does not answer.
struct RelayedWorld : World {
  RelayedWorld() {
    addresses = {{near_address, {1 * ms}}};
    addresses[0].second.alive = false;
    path.set_relayed(true, true, now);
    path.set_candidates({near_address}, now);
    path.set_ready(true, now);
    run(3000 * ms);
    REQUIRE(path.up());
  }
};

TEST_CASE("a relayed path is measured through the relay, and tells when the peer answers directly, too") {
  RelayedWorld world;
  CHECK_FALSE(world.path.endpoint().has_value());
  CHECK_FALSE(world.path.direct());
  CHECK(world.path.rtt().smoothed() >= 5 * ms);
  world.addresses[0].second.alive = true;
  world.run(6500 * ms);
  CHECK(world.path.endpoint() == near_address);
  CHECK(world.path.direct());
  CHECK(world.directs == std::vector<bool>{true});
  world.run(30'000 * ms);
  CHECK(world.directs == std::vector<bool>{true});
  CHECK(world.path.rtt().smoothed() >= 5 * ms);
  world.addresses[0].second.alive = false;
  world.run(10'000 * ms);
  CHECK(world.directs == std::vector<bool>{true, false});
  CHECK(world.path.up());
}

TEST_CASE("one direct answer does not make a relayed peer direct") {
  RelayedWorld world;
  world.addresses[0].second.alive = true;
  while (!world.path.endpoint())
    world.run(1 * ms);
  world.addresses[0].second.alive = false;
  world.run(20'000 * ms);
  CHECK(world.directs.empty());
}

TEST_CASE("the way back from a relay does not interrupt the path") {
  RelayedWorld world;
  world.addresses[0].second.alive = true;
  world.run(8000 * ms);
  world.path.set_relayed(false, true, world.now);
  CHECK(world.path.up());
  CHECK(world.path.way() == Way::direct);
  world.run(10'000 * ms);
  CHECK(world.downs == 0);
  CHECK(world.path.rtt().smoothed() <= 2 * ms);
}

TEST_CASE("a path whose relay is gone is down, and does not seem direct when there is another relay") {
  RelayedWorld world;
  world.path.set_relayed(false, true, world.now);
  CHECK_FALSE(world.path.up());
  CHECK(world.downs == 1);
  world.path.set_relayed(true, true, world.now);
  CHECK_FALSE(world.path.direct());
  world.run(100 * ms);
  CHECK(world.path.up());
  CHECK_FALSE(world.path.direct());
  CHECK(world.directs.empty());
}

/// Up over UDP, with a stream beside it.
void bring_up_with_stream(World& world) {
  world.addresses = {{near_address, {1 * ms}}};
  world.path.set_candidates({near_address}, world.now);
  world.path.set_ready(true, world.now);
  world.run(5000 * ms);
  world.path.set_stream(true, world.now);
}

TEST_CASE("a stream is not used while an address answers") {
  World world;
  bring_up_with_stream(world);
  world.run(30'000 * ms);
  CHECK_FALSE(world.path.on_stream());
  CHECK(world.path.mtu() == 1500);
  CHECK(world.transports == 0);
}

TEST_CASE("a stream takes over before the path is down when no address answers, and is measured") {
  World world;
  bring_up_with_stream(world);
  world.addresses[0].second.alive = false;
  world.run(3000 * ms);
  CHECK(world.path.on_stream());
  CHECK(world.path.up());
  CHECK(world.downs == 0);
  CHECK(world.path.rtt().smoothed() >= 3 * ms);
  CHECK(world.path.mtu() == PathMtu::ceiling);
  world.run(60'000 * ms);
  CHECK(world.path.on_stream());
  CHECK(world.path.up());
  CHECK(world.transports == 1);
}

TEST_CASE("a path leaves its stream soon after an address answers again") {
  World world;
  bring_up_with_stream(world);
  world.addresses[0].second.alive = false;
  world.run(30'000 * ms);
  REQUIRE(world.path.on_stream());
  world.addresses[0].second.alive = true;
  world.run(6500 * ms);
  CHECK_FALSE(world.path.on_stream());
  CHECK(world.path.endpoint() == near_address);
  CHECK(world.path.up());
  CHECK(world.path.mtu() == 1500);
  CHECK(world.transports == 2);
  CHECK(world.downs == 0);
}

TEST_CASE("an address that answers now and then does not take a path off its stream") {
  World world;
  bring_up_with_stream(world);
  for (int i = 0; i < 30; ++i) {
    world.addresses[0].second.alive = false;
    world.run(4000 * ms);
    world.addresses[0].second.alive = true;
    const int before = world.probes;
    while (world.probes < before + 2)
      world.run(1 * ms);
  }
  CHECK(world.path.on_stream());
  CHECK(world.path.up());
  CHECK(world.transports == 1);
}

TEST_CASE("a peer whose addresses nobody knows leaves its stream for where its packets come from") {
  World world;
  world.path.set_stream(true, world.now);
  world.path.set_ready(true, world.now);
  world.run(1000 * ms);
  REQUIRE(world.path.on_stream());
  REQUIRE(world.path.up());
  world.addresses = {{near_address, {1 * ms}}};
  world.path.on_source(near_address, {}, true, world.now);
  world.run(1000 * ms);
  CHECK_FALSE(world.path.on_stream());
  CHECK(world.path.endpoint() == near_address);
}

TEST_CASE("a path whose stream is lost is down, and up again with the first address that answers") {
  World world;
  bring_up_with_stream(world);
  world.addresses[0].second.alive = false;
  world.run(5000 * ms);
  REQUIRE(world.path.on_stream());
  world.path.set_stream(false, world.now);
  CHECK_FALSE(world.path.on_stream());
  CHECK_FALSE(world.path.up());
  CHECK(world.downs == 1);
  world.addresses[0].second.alive = true;
  world.run(6000 * ms);
  CHECK(world.path.up());
}

TEST_CASE("a stream that does not answer is down like any path") {
  World world;
  bring_up_with_stream(world);
  world.addresses[0].second.alive = false;
  world.stream.alive = false;
  world.run(6000 * ms);
  CHECK_FALSE(world.path.up());
  CHECK(world.downs == 1);
}

TEST_CASE("a relay is preferred to a stream") {
  World world;
  bring_up_with_stream(world);
  world.addresses[0].second.alive = false;
  world.path.set_relayed(true, true, world.now);
  world.run(5000 * ms);
  CHECK_FALSE(world.path.on_stream());
  CHECK(world.path.up());
  world.path.set_relayed(false, true, world.now);
  world.run(5000 * ms);
  CHECK(world.path.on_stream());
  CHECK(world.path.up());
}

TEST_CASE("an address where the peer was found is probed like the others when packets take another way") {
  World world;
  world.addresses = {{near_address, {1 * ms}}};
  world.path.set_ready(true, world.now);
  world.path.on_source(near_address, {}, true, world.now);
  world.run(1000 * ms);
  REQUIRE(world.path.up());
  world.addresses[0].second.alive = false;
  world.run(1000 * ms);
  world.path.set_relayed(true, true, world.now);
  world.run(1000 * ms);
  world.path.set_candidates({far_address}, world.now);
  world.addresses[0].second.alive = true;
  world.run(6500 * ms);
  CHECK(world.path.direct());
  CHECK(world.path.endpoint() == near_address);
}

TEST_CASE("what came of each candidate is told") {
  World world;
  world.addresses = {{near_address, {4 * ms}}};
  world.path.set_candidates({far_address, near_address}, world.now);
  world.path.set_ready(true, world.now);
  world.run(3000 * ms);
  const auto& candidates = world.path.candidates();
  REQUIRE(candidates.size() == 2);
  CHECK(candidates[0].probes >= 1);
  CHECK(candidates[0].answers == 0);
  CHECK(candidates[1].answers >= 3);
  CHECK(candidates[1].rtt.smoothed() == 4 * ms);
}

TEST_CASE(
    "a padded probe that somebody asks for is answered if its size passes, and speaks against no address") {
  World world;
  world.addresses = {{near_address, {7 * ms, 1400}}};
  world.path.set_candidates({near_address}, world.now);
  world.path.set_ready(true, world.now);
  world.run(1000 * ms);
  const auto probes = world.path.candidates()[0].probes;
  const std::uint32_t fits = world.path.ask(1400, world.now);
  world.path.ask(1401, world.now);
  CHECK(world.path.candidates()[0].probes == probes);
  world.run(1000 * ms);
  REQUIRE(world.asked.size() == 1);
  CHECK(world.asked[0].first == fits);
  CHECK(world.path.up());
  CHECK(world.path.loss() == 0);
}

TEST_CASE("a probe that somebody asks for is answered to him") {
  World world;
  world.addresses = {{near_address, {7 * ms}}};
  world.path.set_candidates({near_address}, world.now);
  world.path.set_ready(true, world.now);
  world.run(1000 * ms);
  const std::uint32_t id = world.path.ask(0, world.now);
  world.run(10 * ms);
  REQUIRE(world.asked.size() == 1);
  CHECK(world.asked[0].first == id);
  CHECK(world.asked[0].second == 7 * ms);
}

}  // namespace
}  // namespace weft
