#include <doctest/doctest.h>

#include <sys/utsname.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "base/bytes.h"
#include "lab.h"
#include "packet/messages/loop_probe.h"

namespace weft::test {
namespace {

constexpr std::uint16_t arp_ethertype = 0x0806;

// Three hosts on one wire; the third is where nothing should arrive that is not for it.
struct Trio {
  Host a{"00000000000000aa"};
  Host b{"00000000000000bb"};
  Host c{"00000000000000cc"};

  Trio() {
    connect(a, b, "ab", "192.0.2.1/24", "192.0.2.2/24");
    connect(a, c, "ac", "198.51.100.1/24", "198.51.100.3/24");
    connect(b, c, "bc", "203.0.113.2/24", "203.0.113.3/24");
    for (Host* host : {&a, &b, &c})
      host->start();
    introduce(a, b, {"192.0.2.1:6783"}, {"192.0.2.2:6783"});
    introduce(a, c, {"198.51.100.1:6783"}, {"198.51.100.3:6783"});
    introduce(b, c, {"203.0.113.2:6783"}, {"203.0.113.3:6783"});
    await_up(a, b);
    await_up(a, c);
    await_up(b, c);
  }
};

void announce(Host& at, const std::string& mac, const std::vector<std::string>& addresses, const Json& peer) {
  at.control().ok(
      {{"op", "endpoint.set"}, {"network", 0}, {"mac", mac}, {"addresses", addresses}, {"peer", peer}});
}

TEST_CASE("a frame to an announced address goes to its host alone, though nobody saw it there") {
  Trio hosts;
  announce(hosts.a, mac_b, {}, hosts.b.id());
  // What the kernel tells all routers of its own interface is flooded, too.
  hosts.a.run("echo 1 > /proc/sys/net/ipv6/conf/tap0/disable_ipv6");
  hosts.a.tap().send(make_frame(mac_b, mac_a, 60));
  REQUIRE(hosts.b.tap().receive().has_value());
  const auto before = hosts.a.counter("flooded");
  const auto frame = make_frame(mac_b, mac_a, 400);
  hosts.a.tap().send(frame);
  CHECK(hosts.b.tap().receive() == frame);
  CHECK_FALSE(hosts.c.tap().receive(100ms).has_value());
  CHECK(hosts.a.counter("flooded") == before);
}

TEST_CASE("a newer announcement moves an address at once, whatever was learned") {
  Trio hosts;
  hosts.b.tap().send(make_frame(mac_a, mac_b, 60));
  REQUIRE(hosts.a.tap().receive().has_value());
  REQUIRE(hosts.c.tap().receive().has_value());
  announce(hosts.a, mac_b, {}, hosts.c.id());
  const auto frame = make_frame(mac_b, mac_a, 400);
  hosts.a.tap().send(frame);
  CHECK(hosts.c.tap().receive() == frame);
  CHECK_FALSE(hosts.b.tap().receive(100ms).has_value());
  hosts.a.control().ok({{"op", "endpoint.remove"}, {"network", 0}, {"mac", mac_b}});
  hosts.a.tap().send(frame);
  CHECK(hosts.b.tap().receive() == frame);
}

TEST_CASE("ARP and neighbour discovery for announced addresses stay on the host") {
  Trio hosts;
  for (Host* host : {&hosts.a, &hosts.b, &hosts.c})
    host->run("ip link set tap0 address 02:00:00:00:00:0" + host->id().substr(15));
  hosts.a.run("ip addr add 10.32.0.1/24 dev tap0 && ip addr add fd00::1/64 dev tap0 nodad");
  hosts.b.run("ip addr add 10.32.0.2/24 dev tap0 && ip addr add fd00::2/64 dev tap0 nodad");
  announce(hosts.a, "02:00:00:00:00:0a", {"10.32.0.1", "fd00::1"}, nullptr);
  announce(hosts.a, "02:00:00:00:00:0b", {"10.32.0.2", "fd00::2"}, hosts.b.id());
  announce(hosts.b, "02:00:00:00:00:0a", {"10.32.0.1", "fd00::1"}, hosts.a.id());
  const Tap heard(hosts.c.network_namespace(), "tap0", arp_ethertype);
  hosts.a.run("ping -q -c 1 -W 5 10.32.0.2 > /dev/null");
  hosts.a.run("ping -q -c 1 -W 5 fd00::2 > /dev/null");
  CHECK(hosts.a.counter("neighbours_answered") >= 2);
  CHECK_FALSE(heard.receive(100ms).has_value());
  // Who asks for an address that nobody announced asks everybody.
  hosts.a.run("ping -q -c 1 -W 1 10.32.0.9 > /dev/null || true");
  CHECK(heard.receive().has_value());
}

TEST_CASE("a MAC or an address that was given to a container elsewhere does not go into the tunnel") {
  Pair pair;
  pair.a.run("echo 1 > /proc/sys/net/ipv6/conf/tap0/disable_ipv6");
  pair.a.control().ok({{"op", "subscribe"}});
  announce(pair.a, mac_b, {"10.32.0.2", "fd00::2"}, pair.b.id());
  pair.a.tap().send(make_frame(broadcast, mac_b, 60));
  CHECK(pair.a.control().event("refused")["mac"] == mac_b);
  eventually("the frame is counted", [&] { return pair.a.counter("dropped_foreign_mac") == 1; });
  pair.a.run("ip link set tap0 address 02:00:00:00:00:0a && ip addr add 10.32.0.2/24 dev tap0");
  pair.a.run("ping -q -c 1 -W 1 10.32.0.9 > /dev/null || true");
  CHECK(pair.a.control().event(
            "refused", [](const Json& event) { return event["address"] == "10.32.0.2"; })["mac"] == mac_a);
  eventually("the question is counted", [&] { return pair.a.counter("dropped_foreign_address") >= 1; });
  // Once it is given to somebody here, it goes.
  announce(pair.a, mac_a, {"10.32.0.2"}, nullptr);
  pair.a.control().ok({{"op", "endpoint.remove"}, {"network", 0}, {"mac", mac_b}});
  const Tap heard(pair.b.network_namespace(), "tap0", arp_ethertype);
  pair.a.run("ping -q -c 1 -W 1 10.32.0.8 > /dev/null || true");
  CHECK(heard.receive().has_value());
}

TEST_CASE("what comes from a peer with the MAC of somebody else's container is not delivered") {
  Trio hosts;
  announce(hosts.b, mac_b, {}, hosts.c.id());
  hosts.a.tap().send(make_frame(broadcast, mac_b, 400));
  REQUIRE(hosts.c.tap().receive().has_value());
  CHECK_FALSE(hosts.b.tap().receive(100ms).has_value());
  CHECK(hosts.b.counter("dropped_foreign_mac") >= 1);
  announce(hosts.b, mac_b, {}, hosts.a.id());
  hosts.a.tap().send(make_frame(broadcast, mac_b, 400));
  CHECK(hosts.b.tap().receive().has_value());
}

TEST_CASE("a MAC that nobody was given is told once it sends") {
  Pair pair;
  pair.a.control().ok({{"op", "subscribe"}});
  const auto sends = [](const Json& event) { return event["mac"] == mac_b && event["network"] == 0; };
  pair.a.tap().send(make_frame(mac_a, mac_b, 60));
  CHECK_FALSE(pair.a.control().event("mac-seen", sends).is_null());
}

TEST_CASE(
    "an announcement on request reaches this side of the segment, and does not come from the container") {
  Pair pair;
  const Tap heard(pair.a.network_namespace(), "tap0", arp_ethertype);
  pair.a.control().ok(
      {{"op", "announce"}, {"network", 0}, {"mac", mac_b}, {"addresses", {"10.32.0.2", "fd00::2"}}});
  const auto frame = heard.receive();
  REQUIRE(frame.has_value());
  CHECK(load32(&frame->at(28)) == 0x0a200002);
  CHECK(load16(&frame->at(26)) == 0x000b);
  CHECK(load16(&frame->at(10)) != 0x000b);
}

TEST_CASE("announcements for peers that are not known yet wait for them") {
  Pair pair;
  announce(pair.a, mac_b, {"10.32.0.2"}, "00000000000000ee");
  const Json endpoints = pair.a.control().ok({{"op", "endpoints"}})["endpoints"];
  REQUIRE(endpoints.size() == 1);
  CHECK(endpoints[0]["mac"] == mac_b);
  const auto frame = make_frame(mac_b, mac_a, 400);
  pair.a.tap().send(frame);
  CHECK(pair.b.tap().receive() == frame);
  pair.a.control().ok(
      {{"op", "peer.set"}, {"peer", "00000000000000ee"}, {"endpoints", Json::array()}, {"networks", {0}}});
  pair.a.tap().send(frame);
  CHECK_FALSE(pair.b.tap().receive(100ms).has_value());
  pair.a.control().ok({{"op", "endpoint.clear"}});
  pair.a.tap().send(frame);
  CHECK(pair.b.tap().receive() == frame);
}

TEST_CASE("bad announcements are refused") {
  Pair pair;
  const auto refused = [&](Json request) {
    request["op"] = "endpoint.set";
    return pair.a.control().ask(request)["error"]["code"] == "bad-request";
  };
  CHECK(refused({{"network", 0}, {"mac", "02:00:00:00:00"}, {"addresses", Json::array()}}));
  CHECK(refused({{"network", 0}, {"mac", "02-00-00-00-00-01"}, {"addresses", Json::array()}}));
  CHECK(refused({{"network", 0}, {"mac", "ff:ff:ff:ff:ff:ff"}, {"addresses", Json::array()}}));
  CHECK(refused({{"network", 0}, {"mac", mac_b}, {"addresses", {"10.0.0.0/8"}}}));
  CHECK(refused({{"network", 0}, {"mac", mac_b}, {"addresses", {1}}}));
  CHECK(refused({{"network", 70000}, {"mac", mac_b}, {"addresses", Json::array()}}));
}

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

// Of Linux 6.8.
bool has_learning_limit() {
  utsname system{};
  int major = 0, minor = 0;
  return ::uname(&system) == 0 && std::sscanf(system.release, "%d.%d", &major, &minor) == 2 &&
         std::pair{major, minor} >= std::pair{6, 8};
}

TEST_CASE("a bridge learns as many addresses as it is told") {
  if (!has_learning_limit()) return;
  const Host host("00000000000000aa");
  host.run(
      "ip link add br0 type bridge && ip link set br0 up && ip link add port type veth peer name inside && "
      "ip link set port master br0 && ip link set port up && ip link set inside up");
  host.run(forwarder_binary() + " limit-learning --bridge br0 --addresses 10");
  const Tap inside(host.network_namespace(), "inside");
  const auto send = [&] {
    for (unsigned i = 10; i < 60; ++i)
      inside.send(make_frame(broadcast, "02:00:00:00:01:" + std::to_string(i), 60));
  };
  const std::string count = "test $(bridge fdb show br br0 | grep -c ^02:00:00:00:01) ";
  send();
  // The host says something by itself at the port, too.
  host.run(count + "-le 10");
  host.run(forwarder_binary() + " limit-learning --bridge br0 --addresses 0");
  send();
  host.run(count + "-eq 50");
}

TEST_CASE("a storm of broadcasts is cut to what a segment may send") {
  Pair pair;
  const auto frame = make_frame(broadcast, mac_a, 60);
  for (unsigned i = 0; i < 60'000; ++i)
    pair.a.tap().send(frame);
  eventually("some are dropped", [&] { return pair.a.counter("dropped_storm") > 0; });
  CHECK(pair.a.counter("tap_read_frames") > 10'000);
}

TEST_CASE("spanning tree frames stay on their host") {
  Pair pair;
  pair.a.tap().send(make_frame("01:80:c2:00:00:00", mac_a, 60));
  eventually("they are counted", [&] { return pair.a.counter("dropped_stp") == 1; });
  const auto frame = make_frame(mac_b, mac_a, 60);
  pair.a.tap().send(frame);
  CHECK(pair.b.tap().receive() == frame);
}

TEST_CASE("each router gets each broadcast once, by whatever way") {
  Host a{"00000000000000aa"};
  Host r{"00000000000000cc"};
  Host b{"00000000000000bb"};
  Host d{"00000000000000dd"};
  connect(a, r, "ar", "192.0.2.1/24", "192.0.2.2/24");
  connect(r, b, "rb", "198.51.100.2/24", "198.51.100.1/24");
  connect(r, d, "rd", "203.0.113.2/24", "203.0.113.4/24");
  for (Host* host : {&a, &r, &b, &d})
    host->start();
  introduce(a, r, {"192.0.2.1:6783"}, {"192.0.2.2:6783"});
  introduce(r, b, {"198.51.100.2:6783"}, {"198.51.100.1:6783"});
  introduce(r, d, {"203.0.113.2:6783"}, {"203.0.113.4:6783"});
  for (Host* host : {&a, &b, &d})
    await_up(*host, r);
  const auto relay = [&](Host& one, Host& other) {
    for (auto [host, peer] : {std::pair{&one, &other}, std::pair{&other, &one}})
      host->control().ok({{"op", "peer.set"},
                          {"peer", peer->id()},
                          {"endpoints", Json::array()},
                          {"networks", {0}},
                          {"via", r.id()}});
    give_key(one, other, "aes-256-gcm");
    await_up(one, other);
  };
  relay(a, b);
  relay(a, d);
  relay(b, d);
  for (Host* from : {&a, &r, &b, &d}) {
    const auto frame = make_frame(broadcast, mac_a, 200, static_cast<unsigned>(from->id().back()));
    from->tap().send(frame);
    for (Host* to : {&a, &r, &b, &d}) {
      if (to != from) CHECK(to->tap().receive() == frame);
      CHECK_FALSE(to->tap().receive(50ms).has_value());
    }
  }
}

// Pings a group from a host and tells whether the other one got it.
bool gets_group(const Host& from, const Host& to, const std::string& group) {
  const Tap heard(to.network_namespace(), "tap0", ipv4_ethertype);
  from.run("ping -q -c 1 -W 1 -I tap0 " + group + " > /dev/null 2>&1 || true");
  constexpr std::size_t destination = 14 + 16;
  while (const auto frame = heard.receive(200ms))
    if (load8(&(*frame)[destination]) == 239) return true;
  return false;
}

TEST_CASE("multicast goes to the hosts that want the group, and to those of which nothing is known") {
  Trio hosts;
  hosts.a.run("ip addr add 10.32.0.1/24 dev tap0");
  const auto groups = [&](const Host& peer, const Json& wanted) {
    hosts.a.control().ok({{"op", "peer.groups"}, {"network", 0}, {"peer", peer.id()}, {"groups", wanted}});
  };
  CHECK(gets_group(hosts.a, hosts.b, "239.1.2.3"));
  CHECK(gets_group(hosts.a, hosts.c, "239.1.2.3"));
  groups(hosts.b, {"239.1.2.3"});
  groups(hosts.c, Json::array());
  CHECK(gets_group(hosts.a, hosts.b, "239.1.2.3"));
  // What has just begun goes to everybody for a while.
  eventually("nobody gets what he does not want", [&] {
    return !gets_group(hosts.a, hosts.c, "239.1.2.3") && !gets_group(hosts.a, hosts.b, "239.9.9.9");
  });
  groups(hosts.c, {"0.0.0.0"});
  CHECK(gets_group(hosts.a, hosts.c, "239.1.2.3"));
  groups(hosts.b, nullptr);
  CHECK(gets_group(hosts.a, hosts.b, "239.9.9.9"));
  // What is no group of a host's choice goes to everybody.
  groups(hosts.c, Json::array());
  const auto frame = make_frame("01:00:5e:01:02:03", mac_a, 100);
  hosts.a.tap().send(frame);
  CHECK(hosts.b.tap().receive() == frame);
  CHECK(hosts.c.tap().receive() == frame);
}

TEST_CASE("the groups that are wanted on a host are told, and that they are no longer") {
  Pair pair;
  pair.a.run("ip addr add 10.32.0.1/24 dev tap0");
  const auto told = [&](const std::string& group) {
    const Json networks = pair.a.control().ok({{"op", "groups"}})["networks"];
    const Json& groups = networks[0]["groups"];
    return groups.is_array() && std::find(groups.begin(), groups.end(), group) != groups.end();
  };
  {
    const Process member({"socat", "-u", "UDP4-RECV:5000,ip-add-membership=239.1.2.3:tap0", "OPEN:/dev/null"},
                         pair.a.network_namespace());
    const Process member6(
        {"socat", "-u", "UDP6-RECV:5001,ipv6-join-group=[ff15::1234]:tap0", "OPEN:/dev/null"},
        pair.a.network_namespace());
    eventually(
        "both groups are told", [&] { return told("239.1.2.3") && told("ff15::1234"); }, 20s);
  }
  eventually(
      "they are not wanted any more", [&] { return !told("239.1.2.3") && !told("ff15::1234"); }, 20s);
}

TEST_CASE("reports of membership go to routers only, questions to everybody") {
  Trio hosts;
  hosts.a.run("ip addr add 10.32.0.1/24 dev tap0");
  hosts.a.control().ok(
      {{"op", "peer.groups"}, {"network", 0}, {"peer", hosts.b.id()}, {"groups", Json::array()}});
  hosts.a.control().ok(
      {{"op", "peer.groups"}, {"network", 0}, {"peer", hosts.c.id()}, {"groups", {"0.0.0.0"}}});
  constexpr std::size_t protocol = 14 + 9;
  const auto hears_igmp = [](const Tap& tap) {
    while (const auto frame = tap.receive(500ms))
      if (load8(&(*frame)[protocol]) == 2 && load8(&(*frame)[14 + 24]) != 0x11) return true;
    return false;
  };
  const Tap at_b(hosts.b.network_namespace(), "tap0", ipv4_ethertype);
  const Tap at_c(hosts.c.network_namespace(), "tap0", ipv4_ethertype);
  const Process member({"socat", "-u", "UDP4-RECV:5000,ip-add-membership=239.1.2.3:tap0", "OPEN:/dev/null"},
                       hosts.a.network_namespace());
  CHECK(hears_igmp(at_c));
  CHECK_FALSE(hears_igmp(at_b));
}

}  // namespace
}  // namespace weft::test
