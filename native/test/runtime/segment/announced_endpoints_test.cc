#include <doctest/doctest.h>

#include "base/bytes.h"
#include "trio.h"

namespace weft::test {
namespace {

constexpr std::uint16_t arp_ethertype = 0x0806;

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

}  // namespace
}  // namespace weft::test
