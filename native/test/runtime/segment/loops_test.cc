#include <doctest/doctest.h>

#include "../lab.h"
#include "packet/messages/loop_probe.h"

namespace weft::test {
namespace {

// The TAP of each host in a bridge, and the bridges joined by a wire of their own.
struct JoinedPair : Pair {
  JoinedPair() {
    connect(a, b, "lan", "203.0.113.1/24", "203.0.113.2/24");
    for (const Host* host : {&a, &b})
      host->run(
          "ip link add br0 type bridge && ip link set br0 up && ip link set tap0 master br0 && ip link set "
          "lan "
          "master br0");
  }
};

TEST_CASE("two hosts that are joined beside the tunnel do not send in circles, and tell of it") {
  JoinedPair pair;
  pair.b.control().event("loop", [](const Json& event) { return event["muted"] == true; });
  pair.a.control().event("loop", [](const Json& event) { return event["muted"] == false; });
  eventually("one of the two is silent", [&] {
    const Json networks = pair.b.control().ok({{"op", "dump"}})["networks"];
    return networks[0]["loop"]["muted"] == true;
  });
  pair.a.run("ip addr add 10.32.0.1/24 dev br0");
  const auto before = pair.a.counter("tap_read_frames");
  const auto before_b = pair.b.counter("tap_read_frames");
  pair.a.run("ping -q -b -c 20 -i 0.01 10.32.0.255 > /dev/null 2>&1 || true");
  CHECK(pair.a.counter("tap_read_frames") - before < 200);
  CHECK(pair.b.counter("tap_read_frames") - before_b < 200);

  // Both are on one Ethernet all the same.
  pair.b.run("ip addr add 10.32.0.2/24 dev br0");
  pair.a.run("ping -q -c 1 -W 5 10.32.0.2 > /dev/null");

  pair.b.run("ip link set lan nomaster");
  pair.b.control().event("loop-over", nullptr, 15s);
  pair.a.run("ip neighbour flush all; ping -q -c 3 -W 5 10.32.0.2 > /dev/null");
}

TEST_CASE("a host whose own segment is a loop keeps it to itself") {
  Pair pair;
  pair.a.run(
      "ip link add br0 type bridge && ip link add br1 type bridge && ip link set br0 up && ip link set br1 "
      "up && "
      "ip link add x type veth peer name y && ip link add v type veth peer name w && "
      "for l in x v; do ip link set $l master br0; done; for l in y w; do ip link set $l master br1; done; "
      "ip link set tap0 master br0");
  pair.a.run("for l in x y v w; do tc qdisc add dev $l root tbf rate 2mbit burst 4k limit 4k; done");
  pair.a.run("for l in x y v w; do ip link set $l up; done");
  pair.a.control().event("loop", [](const Json& event) { return event["peer"].is_null(); });
  // What was on its way arrives yet.
  eventually("hardly anything arrives while it circles", [&] {
    const auto arrived = pair.b.counter("tap_written_frames");
    const auto muted = pair.a.counter("dropped_muted");
    eventually("it circles", [&] { return pair.a.counter("dropped_muted") > muted + 50; });
    return pair.b.counter("tap_written_frames") < arrived + 10;
  });
  pair.a.run("ip link del x");
  pair.a.control().event("loop-over", nullptr, 20s);
}

// A probe of the router with that id, with a number that it did not send.
std::vector<std::byte> made_up_probe(PeerId router) {
  std::vector<std::byte> frame(loop_probe_size);
  encode(LoopProbe{router, 0, {}}, frame);
  return frame;
}

bool is_loop(Pair& pair) {
  const auto loops = [](Host& host) {
    return !host.control().ok({{"op", "dump"}})["networks"][0]["loop"].is_null();
  };
  return loops(pair.a) || loops(pair.b);
}

TEST_CASE("loop probes that somebody made up stop nobody, whoever they name") {
  Pair pair;
  const auto before = pair.a.counter("loop_probes");
  pair.a.tap().send(made_up_probe(0xaa));
  eventually("the first is there", [&] { return pair.a.counter("loop_probes") == before + 1; });
  pair.a.tap().send(made_up_probe(0xbb));
  eventually("the second is given back", [&] { return pair.b.counter("loop_probes") > 0; });
  CHECK_FALSE(is_loop(pair));
  const auto frame = make_frame(broadcast, mac_a, 60);
  pair.a.tap().send(frame);
  CHECK(pair.b.tap().receive() == frame);
}

TEST_CASE("a loop probe that somebody kept for some seconds stops nobody") {
  Pair pair;
  const Tap probes(pair.a.network_namespace(), "tap0", 0x88b6);
  const auto kept = probes.receive();
  REQUIRE(kept);
  // One comes each second.
  for (int i = 0; i < 4; ++i)
    REQUIRE(probes.receive());
  const auto before = pair.a.counter("loop_probes");
  pair.a.tap().send(*kept);
  eventually("it is there", [&] { return pair.a.counter("loop_probes") == before + 1; });
  CHECK_FALSE(is_loop(pair));
  pair.a.tap().send(*probes.receive());
  pair.a.control().event("loop", [](const Json& event) { return event["muted"] == true; });
}

}  // namespace
}  // namespace weft::test
