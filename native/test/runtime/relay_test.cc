#include <doctest/doctest.h>
#include <sys/socket.h>

#include "lab.h"

namespace weft::test {
namespace {

// a and b see each other only through r.
struct RelayedPair {
  Host a{"00000000000000aa"};
  Host r{"00000000000000cc"};
  Host b{"00000000000000bb"};

  explicit RelayedPair(unsigned far_mtu = 1500) {
    connect(a, r, "ar", "192.0.2.1/24", "192.0.2.2/24");
    connect(r, b, "rb", "198.51.100.2/24", "198.51.100.1/24", far_mtu);
    for (Host* host : {&a, &r, &b})
      host->start();
    introduce(a, r, {"192.0.2.1:6783"}, {"192.0.2.2:6783"});
    introduce(r, b, {"198.51.100.2:6783"}, {"198.51.100.1:6783"});
    await_up(a, r);
    await_up(r, b);
    a.control().ok({{"op", "peer.set"},
                    {"peer", b.id()},
                    {"endpoints", Json::array()},
                    {"networks", {0}},
                    {"via", r.id()}});
    b.control().ok({{"op", "peer.set"},
                    {"peer", a.id()},
                    {"endpoints", Json::array()},
                    {"networks", {0}},
                    {"via", r.id()}});
    give_key(a, b, "aes-256-gcm");
    await_up(a, b);
  }
};

TEST_CASE("frames cross through a relay that cannot read them") {
  RelayedPair hosts;
  eventually("the path MTU is known", [&] { return hosts.a.peer(hosts.b.id())["pathMtu"] == 1500; });
  // The relay's own TAP is on the same segment and would get broadcasts: unicast is for b alone.
  hosts.b.tap().send(make_frame(broadcast, mac_b, 100));
  REQUIRE(hosts.a.tap().receive().has_value());
  REQUIRE(hosts.r.tap().receive().has_value());
  for (const std::size_t size : {60UL, 700UL, 1400UL, 5000UL}) {
    const auto frame = make_frame(mac_b, mac_a, std::min<std::size_t>(size, 1432));
    hosts.a.tap().send(frame);
    CHECK(hosts.b.tap().receive() == frame);
  }
  CHECK_FALSE(hosts.r.tap().receive(100ms).has_value());
  CHECK(hosts.r.counter("relayed_packets") > 4);
  CHECK(hosts.a.peer(hosts.b.id())["via"] == hosts.r.id());
  CHECK(hosts.a.peer(hosts.b.id())["rtt"].get<int>() > 0);
}

TEST_CASE("the path MTU through a relay is that of its smallest hop") {
  RelayedPair hosts(1400);
  eventually(
      "it is found", [&] { return hosts.a.peer(hosts.b.id())["pathMtu"] == 1400; }, 15s);
  eventually(
      "it is found", [&] { return hosts.b.peer(hosts.a.id())["pathMtu"] == 1400; }, 15s);
}

TEST_CASE("relayed packets without the right hop tag are counted and go nowhere") {
  RelayedPair hosts;
  const auto before = hosts.r.counter("relayed_packets");
  const Json keys = hosts.r.peer(hosts.a.id())["keys"];
  std::vector<std::byte> forged(32 + 60);
  forged[0] = std::byte{2};
  forged[2] = std::byte{16};
  store32(forged.data() + 4, keys[0]["localIndex"].get<std::uint32_t>());
  store64(forged.data() + 8, 0xbb);
  store64(forged.data() + 16, 0xaa);
  forged[32] = std::byte{1};
  store32(forged.data() + 36, 77);
  ::send(udp_to(hosts.a, "192.0.2.2").get(), forged.data(), forged.size(), 0);
  eventually("it is counted", [&] { return hosts.r.counter("dropped_hop_tag") == 1; });
  CHECK(hosts.r.counter("relayed_packets") - before < 10);
}

TEST_CASE("a relayed peer that answers directly is told") {
  RelayedPair hosts;
  connect(hosts.a, hosts.b, "ab", "203.0.113.1/24", "203.0.113.2/24");
  hosts.a.control().ok({{"op", "peer.set"},
                        {"peer", hosts.b.id()},
                        {"endpoints", {"203.0.113.2:6783"}},
                        {"networks", {0}},
                        {"via", hosts.r.id()}});
  hosts.a.control().event("endpoint", [&](const Json& e) { return e["endpoint"] == "203.0.113.2:6783"; });
  hosts.a.control().ok({{"op", "peer.set"},
                        {"peer", hosts.b.id()},
                        {"endpoints", {"203.0.113.2:6783"}},
                        {"networks", {0}},
                        {"via", nullptr}});
  const auto before = hosts.r.counter("relayed_packets");
  hosts.a.tap().send(make_frame(broadcast, mac_a, 100));
  CHECK(hosts.b.tap().receive().has_value());
  CHECK(hosts.r.counter("relayed_packets") - before < 4);
}

}  // namespace
}  // namespace weft::test
