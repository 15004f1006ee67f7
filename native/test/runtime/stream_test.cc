#include <doctest/doctest.h>
#include <sys/socket.h>

#include <random>

#include "lab.h"
#include "wire/header.h"

namespace weft::test {
namespace {

void block_udp(const Host& host) {
  host.run(
      "nft 'add table inet w; add chain inet w i { type filter hook input priority 0; }; "
      "add rule inet w i udp dport 6783 drop'");
}

void allow_udp(const Host& host) {
  host.run("nft delete table inet w");
}

int pass_stream(const Host& host, const std::string& peer, const Fd& socket) {
  Process helper({forwarder_binary(), "pass-stream", "--control", host.control_path(), "--peer", peer},
                 host.network_namespace(), "", socket.get());
  return helper.wait();
}

void join_by_tcp(const Host& one, const Host& other, const std::string& address) {
  const auto [dialled, accepted] = dial(one, other, address);
  REQUIRE(pass_stream(one, other.id(), dialled) == 0);
  REQUIRE(pass_stream(other, one.id(), accepted) == 0);
}

void await_transport(Host& host, const Host& peer, const std::string& transport) {
  eventually(
      "traffic goes by " + transport,
      [&] {
        const Json state = host.peer(peer.id());
        return state["transport"] == transport && state["up"] == true;
      },
      15s);
}

// Two hosts between which UDP does not pass, joined by TCP.
struct TcpPair : Pair {
  TcpPair() {
    block_udp(a);
    block_udp(b);
    join_by_tcp(a, b, "192.0.2.2");
    await_transport(a, b, "tcp");
    await_transport(b, a, "tcp");
  }
};

void check_both_ways(Host& a, Host& b) {
  for (const std::size_t size : {60UL, 700UL, 1432UL}) {
    const auto there = make_frame(mac_b, mac_a, size, 1);
    a.tap().send(there);
    CHECK(b.tap().receive() == there);
    const auto back = make_frame(mac_a, mac_b, size, 2);
    b.tap().send(back);
    CHECK(a.tap().receive() == back);
  }
}

TEST_CASE("frames go by TCP where UDP is dropped, and by UDP again when it passes") {
  TcpPair pair;
  check_both_ways(pair.a, pair.b);
  const Json state = pair.a.peer(pair.b.id());
  CHECK(state["endpoint"].is_null());
  CHECK(state["rtt"].get<int>() > 0);
  CHECK(pair.a.counter("stream_sent_packets") > 3);
  pair.a.control().event("transport", [](const Json& event) { return event["transport"] == "tcp"; });

  allow_udp(pair.a);
  allow_udp(pair.b);
  await_transport(pair.a, pair.b, "udp");
  await_transport(pair.b, pair.a, "udp");
  CHECK(pair.a.peer(pair.b.id())["endpoint"] == "192.0.2.2:6783");
  check_both_ways(pair.a, pair.b);
}

TEST_CASE("a stream beside a working address carries nothing") {
  Pair pair;
  join_by_tcp(pair.a, pair.b, "192.0.2.2");
  check_both_ways(pair.a, pair.b);
  CHECK(pair.a.peer(pair.b.id())["transport"] == "udp");
  CHECK(pair.a.counter("stream_sent_packets") == 0);
}

TEST_CASE("a bulk transfer inside crosses a stream whole") {
  TcpPair pair;
  pair.a.run("ip addr add 10.32.0.1/24 dev tap0");
  pair.b.run("ip addr add 10.32.0.2/24 dev tap0");
  // The senders' window is larger than what a stream holds: some is dropped, and sent again.
  Process server({"sh", "-c", "exec timeout 60 socat -u TCP-LISTEN:9000,reuseaddr OPEN:/dev/null"},
                 pair.b.network_namespace());
  pair.a.run(
      "timeout 60 sh -c 'until head -c 100000000 /dev/zero | socat -u - TCP:10.32.0.2:9000; do sleep 0.05; "
      "done' 2>/dev/null");
  CHECK(server.wait() == 0);
  CHECK(pair.a.counter("stream_sent_bytes") > 100'000'000);
  CHECK(pair.a.peer(pair.b.id())["up"] == true);
}

TEST_CASE("a stream that the peer closes is told, and the path goes down") {
  Pair pair;
  block_udp(pair.a);
  auto [dialled, accepted] = dial(pair.a, pair.b, "192.0.2.2");
  REQUIRE(pass_stream(pair.a, pair.b.id(), dialled) == 0);
  dialled.reset();
  pair.a.control().event("peer-down");
  accepted.reset();
  CHECK(pair.a.control().event("stream-lost")["peer"] == pair.b.id());
  CHECK(pair.a.peer(pair.b.id())["transport"] == "udp");
  allow_udp(pair.a);
  await_up(pair.a, pair.b);
}

TEST_CASE("a stream is removed on request") {
  TcpPair pair;
  pair.a.control().ok({{"op", "stream.remove"}, {"peer", pair.b.id()}});
  CHECK(pair.a.peer(pair.b.id())["transport"] == "udp");
  pair.b.control().event("stream-lost");
}

TEST_CASE("frames cross a relay that one side reaches by TCP and the other by UDP") {
  Host a{"00000000000000aa"};
  Host r{"00000000000000cc"};
  Host b{"00000000000000bb"};
  connect(a, r, "ar", "192.0.2.1/24", "192.0.2.2/24");
  connect(r, b, "rb", "198.51.100.2/24", "198.51.100.1/24");
  for (Host* host : {&a, &r, &b})
    host->start();
  introduce(a, r, {"192.0.2.1:6783"}, {"192.0.2.2:6783"});
  introduce(r, b, {"198.51.100.2:6783"}, {"198.51.100.1:6783"});
  await_up(r, b);
  block_udp(a);
  join_by_tcp(a, r, "192.0.2.2");
  await_transport(a, r, "tcp");
  await_transport(r, a, "tcp");
  const auto through_relay = [&](Host& host, const Host& peer) {
    host.control().ok({{"op", "peer.set"},
                       {"peer", peer.id()},
                       {"endpoints", Json::array()},
                       {"networks", {0}},
                       {"via", r.id()}});
  };
  through_relay(a, b);
  through_relay(b, a);
  give_key(a, b, "aes-256-gcm");
  await_up(a, b);
  check_both_ways(a, b);
  // Many at once: what comes by TCP leaves in runs.
  a.run("ip addr add 10.32.0.1/24 dev tap0");
  b.run("ip addr add 10.32.0.2/24 dev tap0");
  a.run("ping -q -c 200 -i 0.002 -s 1300 10.32.0.2 > /dev/null");
  b.run("ping -q -f -c 2000 -s 1300 10.32.0.1 > /dev/null");
}

TEST_CASE("what is no TCP connection is refused") {
  Pair pair;
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  const Fd one(ends[0]);
  const Fd other(ends[1]);
  CHECK(pass_stream(pair.a, pair.b.id(), one) == 1);
  CHECK(pass_stream(pair.a, "00000000000000ee", one) == 1);
  CHECK(pair.a.control().ask({{"op", "stream.set"}, {"peer", pair.b.id()}})["error"]["code"] ==
        "bad-request");
}

TEST_CASE("garbage, absurd lengths and slowness on a stream harm nobody") {
  Pair pair;
  std::mt19937 random(1);
  const auto check_udp = [&] {
    const auto frame = make_frame(mac_b, mac_a, 900, 9);
    pair.b.tap().send(make_frame(mac_a, mac_b, 60, 9));
    REQUIRE(pair.a.tap().receive().has_value());
    pair.a.tap().send(frame);
    CHECK(pair.b.tap().receive() == frame);
  };
  SUBCASE("a length that no packet has") {
    const auto [dialled, accepted] = dial(pair.a, pair.b, "192.0.2.2");
    REQUIRE(pass_stream(pair.b, pair.a.id(), accepted) == 0);
    const std::byte nothing[2]{};
    REQUIRE(::send(dialled.get(), nothing, sizeof nothing, 0) == 2);
    pair.b.control().event("stream-lost");
    CHECK(pair.b.counter("streams_broken") == 1);
  }
  SUBCASE("random bytes, again and again") {
    for (int round = 0; round < 20; ++round) {
      const auto [dialled, accepted] = dial(pair.a, pair.b, "192.0.2.2");
      REQUIRE(pass_stream(pair.b, pair.a.id(), accepted) == 0);
      std::vector<std::byte> noise(200'000);
      for (std::byte& byte : noise)
        byte = static_cast<std::byte>(random());
      noise[0] = std::byte{1};
      ::send(dialled.get(), noise.data(), noise.size(), MSG_NOSIGNAL);
    }
    eventually("they are gone", [&] { return pair.b.counter("stream_received_packets") >= 20; });
  }
  SUBCASE("a packet that does not come to its end") {
    const auto [dialled, accepted] = dial(pair.a, pair.b, "192.0.2.2");
    REQUIRE(pass_stream(pair.b, pair.a.id(), accepted) == 0);
    const std::byte promise[]{std::byte{0xff}, std::byte{0xff}, std::byte{1}};
    REQUIRE(::send(dialled.get(), promise, sizeof promise, 0) == sizeof promise);
    check_udp();
  }
  SUBCASE("packets that do not open") {
    const auto [dialled, accepted] = dial(pair.a, pair.b, "192.0.2.2");
    REQUIRE(pass_stream(pair.b, pair.a.id(), accepted) == 0);
    std::vector<std::byte> forged(2 + 100);
    store16(forged.data(), 100);
    forged[2] = std::byte{1};
    store32(forged.data() + 6, pair.b.peer(pair.a.id())["keys"][0]["localIndex"].get<std::uint32_t>());
    for (int i = 0; i < 50; ++i)
      REQUIRE(::send(dialled.get(), forged.data(), forged.size(), 0) == 102);
    eventually("they are counted", [&] { return pair.b.counter("dropped_bad_tag") == 50; });
  }
  check_udp();
}

TEST_CASE("a peer that reads nothing from its stream costs only its own packets") {
  Pair pair;
  block_udp(pair.a);
  const auto [dialled, accepted] = dial(pair.a, pair.b, "192.0.2.2");
  REQUIRE(pass_stream(pair.a, pair.b.id(), dialled) == 0);
  eventually("the stream is in use", [&] { return pair.a.peer(pair.b.id())["transport"] == "tcp"; });
  // The receiver's window fills, then the queue here.
  for (unsigned i = 0; i < 20'000 && pair.a.counter("dropped_stream_full") == 0; ++i)
    for (unsigned k = 0; k < 50; ++k)
      pair.a.tap().send(make_frame(mac_b, mac_a, 1400, k));
  CHECK(pair.a.counter("dropped_stream_full") > 0);
  CHECK(pair.a.control().ok({{"op", "dump"}})["peers"].size() == 1);
}

}  // namespace
}  // namespace weft::test
