#include <doctest/doctest.h>

#include <chrono>
#include <utility>

#include "lab.h"

namespace weft::test {
namespace {

void check_arrives(Host& from, Host& to, const std::vector<std::byte>& frame) {
  from.tap().send(frame);
  CHECK(to.tap().receive() == frame);
}

// Two hosts with a router between them that is no part of the overlay.
struct RoutedPair {
  Host a{"00000000000000aa"};
  Host router{"00000000000000ff"};
  Host b{"00000000000000bb"};

  RoutedPair() {
    connect(a, router, "ra", "192.0.2.1/24", "192.0.2.254/24", 1500);
    connect(router, b, "rb", "198.51.100.254/24", "198.51.100.1/24", 1500);
    a.run("ip route add default via 192.0.2.254");
    b.run("ip route add default via 198.51.100.254");
    // It says nothing when a packet is too big.
    router.run(
        "sysctl -qw net.ipv4.ip_forward=1; nft 'add table t; add chain t o { type filter hook output "
        "priority 0; }; add rule t o ip protocol icmp drop'");
  }
  void limit(unsigned mtu) const {
    router.run("ip link set ra mtu " + std::to_string(mtu) + "; ip link set rb mtu " + std::to_string(mtu));
  }
  void start() {
    a.start();
    b.start();
    introduce(a, b, {"192.0.2.1:6783"}, {"198.51.100.1:6783"});
    await_up(a, b);
  }
  void await_mtu(unsigned mtu, std::chrono::milliseconds timeout) {
    for (auto [host, peer] : {std::pair{&a, &b}, std::pair{&b, &a}})
      eventually(
          "the path MTU is found",
          [host = host, peer = peer, mtu] { return host->peer(peer->id())["pathMtu"] == mtu; }, timeout);
  }
};

TEST_CASE("a peer whose address changes is followed when it speaks") {
  Pair pair;
  pair.a.run(
      "ip addr add 192.0.2.77/24 dev eth0; ip addr del 192.0.2.1/24 dev eth0; ip addr add 192.0.2.77/24 dev "
      "eth0 2>/dev/null; true");
  check_arrives(pair.a, pair.b, make_frame(mac_b, mac_a, 300));
  const Json event =
      pair.b.control().event("endpoint", [](const Json& e) { return e["endpoint"] == "192.0.2.77:6783"; });
  CHECK(event["reason"] == "roamed");
  eventually("it is used", [&] { return pair.b.peer(pair.a.id())["endpoint"] == "192.0.2.77:6783"; });
  check_arrives(pair.b, pair.a, make_frame(mac_a, mac_b, 300));
  CHECK(pair.b.counter("roamed") >= 1);
  pair.a.control().event("observed", [](const Json& e) { return e["address"] == "192.0.2.77:6783"; });
}

TEST_CASE("the size of a silent bottleneck in the middle is found to the byte") {
  RoutedPair pair;
  pair.limit(1387);
  pair.start();
  pair.await_mtu(1387, 15s);
  // 1387 - 68 of overhead is the largest frame in one piece.
  check_arrives(pair.a, pair.b, make_frame(mac_b, mac_a, 1387 - 68));
  CHECK(pair.a.counter("fragments_sent") == 0);
}

TEST_CASE("a path that shrinks silently while traffic flows is noticed") {
  RoutedPair pair;
  pair.start();
  pair.await_mtu(1500, 10s);
  pair.limit(1400);
  eventually(
      "the new size is found",
      [&] {
        pair.a.tap().send(make_frame(mac_b, mac_a, 100));
        pair.b.tap().send(make_frame(mac_a, mac_b, 100));
        return pair.a.peer(pair.b.id())["pathMtu"] == 1400 && pair.b.peer(pair.a.id())["pathMtu"] == 1400;
      },
      20s);
}

TEST_CASE("an interface that shrinks is noticed by the packet that it refuses") {
  Pair pair;
  pair.a.run("ip link set eth0 mtu 1400");
  pair.a.tap().send(make_frame(mac_b, mac_a, 1432));
  eventually(
      "the new size is found", [&] { return pair.a.peer(pair.b.id())["pathMtu"] == 1400; }, 3s);
  check_arrives(pair.a, pair.b, make_frame(mac_b, mac_a, 1432));
}

TEST_CASE("a cut wire is told within two seconds, and traffic is back within a second of its healing") {
  Pair pair;
  pair.a.control().forget_events();
  pair.a.run("ip link set eth0 down");
  CHECK(pair.a.control().event("peer-down", nullptr, 3s)["peer"] == pair.b.id());
  CHECK(pair.a.peer(pair.b.id())["up"] == false);
  CHECK(pair.a.peer(pair.b.id())["loss"].get<double>() > 0);
  pair.a.run("ip link set eth0 up");
  CHECK(pair.a.control().event("peer-up", nullptr, 1500ms)["peer"] == pair.b.id());
  check_arrives(pair.a, pair.b, make_frame(mac_b, mac_a, 300));
}

TEST_CASE("of several addresses the one that answers is used, and another when it fails") {
  Host a("00000000000000aa"), b("00000000000000bb");
  connect(a, b, "one", "192.0.2.1/24", "192.0.2.2/24");
  connect(a, b, "two", "198.51.100.1/24", "198.51.100.2/24");
  a.start();
  b.start();
  introduce(a, b, {"203.0.113.1:6783", "192.0.2.1:6783", "198.51.100.1:6783"},
            {"203.0.113.2:6783", "192.0.2.2:6783", "198.51.100.2:6783"});
  await_up(a, b);
  const std::string first = a.peer(b.id())["endpoint"];
  const bool first_is_one = first == "192.0.2.2:6783";
  const std::string net = first_is_one ? "198.51.100." : "192.0.2.";
  a.run(std::string("ip link set ") + (first_is_one ? "one" : "two") + " down");
  eventually("the other is used", [&] {
    const Json b_of_a = a.peer(b.id());
    const Json a_of_b = b.peer(a.id());
    return b_of_a["up"] == true && b_of_a["endpoint"] == net + "2:6783" && a_of_b["up"] == true &&
           a_of_b["endpoint"] == net + "1:6783";
  });
  check_arrives(a, b, make_frame(mac_b, mac_a, 300));
  check_arrives(b, a, make_frame(mac_a, mac_b, 300));
}

}  // namespace
}  // namespace weft::test
