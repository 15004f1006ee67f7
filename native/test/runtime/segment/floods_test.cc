#include <doctest/doctest.h>

#include <sys/utsname.h>

#include <cstdio>
#include <utility>

#include "../lab.h"

namespace weft::test {
namespace {

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

}  // namespace
}  // namespace weft::test
