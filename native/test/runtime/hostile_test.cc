#include <doctest/doctest.h>
#include <sys/socket.h>

#include <algorithm>
#include <random>

#include "lab.h"
#include "wire/header.h"

namespace weft::test {
namespace {

constexpr std::size_t outer_headers = 14 + 20 + 8;

// A socket of a stranger on host a, who can say anything to host b.
class Stranger {
 public:
  explicit Stranger(const Host& host) : socket_(udp_to(host, "192.0.2.2")) {}
  void say(ConstBytes datagram) const { ::send(socket_.get(), datagram.data(), datagram.size(), 0); }

 private:
  Fd socket_;
};

// The sealed packet that carries a frame from a to b, as it is on the wire.
std::vector<std::byte> capture_sealed(Pair& pair) {
  const Tap wire(pair.b.network_namespace(), "eth0", ipv4_ethertype);
  const auto frame = make_frame(mac_b, mac_a, 700);
  pair.a.tap().send(frame);
  for (;;) {
    const auto seen = wire.receive();
    REQUIRE(seen.has_value());
    if (seen->size() != outer_headers + 700 + frame_overhead) continue;
    REQUIRE(pair.b.tap().receive().has_value());
    return {seen->begin() + outer_headers, seen->end()};
  }
}

void check_still_works(Pair& pair) {
  const auto frame = make_frame(mac_b, mac_a, 900, 9);
  pair.a.tap().send(frame);
  CHECK(pair.b.tap().receive() == frame);
  CHECK(pair.b.peer(pair.a.id())["endpoint"] == "192.0.2.1:6783");
}

TEST_CASE("a packet on the wire holds no byte of its payload") {
  Pair pair;
  const auto sealed = capture_sealed(pair);
  const auto frame = make_frame(mac_b, mac_a, 700);
  const auto found = std::search(sealed.begin(), sealed.end(), frame.begin() + 14, frame.begin() + 22);
  CHECK(found == sealed.end());
}

TEST_CASE("a replayed packet is counted, delivers nothing and moves nobody") {
  Pair pair;
  const auto sealed = capture_sealed(pair);
  const Stranger stranger(pair.a);
  for (int i = 0; i < 10; ++i)
    stranger.say(sealed);
  eventually("they are counted", [&] { return pair.b.counter("dropped_replay") == 10; });
  CHECK_FALSE(pair.b.tap().receive(100ms).has_value());
  check_still_works(pair);
}

TEST_CASE("truncated and damaged packets are counted and deliver nothing") {
  Pair pair;
  const auto sealed = capture_sealed(pair);
  const Stranger stranger(pair.a);
  std::size_t said = 0;
  for (std::size_t size = 0; size < sealed.size(); size += 13, ++said)
    stranger.say(ConstBytes{sealed}.first(size));
  for (std::size_t at = 0; at < sealed.size(); at += 3, ++said) {
    auto damaged = sealed;
    damaged[at] ^= std::byte{1};
    stranger.say(damaged);
  }
  const auto dropped = [&] {
    std::uint64_t sum = 0;
    for (const char* name : {"dropped_short", "dropped_bad_type", "dropped_bad_field", "dropped_unknown_key",
                             "dropped_bad_tag", "dropped_hop_tag"})
      sum += pair.b.counter(name);
    return sum;
  };
  eventually("they are counted", [&] { return dropped() == said; });
  CHECK_FALSE(pair.b.tap().receive(100ms).has_value());
  check_still_works(pair);
}

TEST_CASE("random datagrams do no harm") {
  Pair pair;
  const Stranger stranger(pair.a);
  std::mt19937 random(1);
  for (int i = 0; i < 20'000; ++i) {
    std::vector<std::byte> datagram(random() % 1472);
    for (std::byte& byte : datagram)
      byte = static_cast<std::byte>(random());
    if (datagram.size() > 2) datagram[0] = static_cast<std::byte>(random() % 4);
    stranger.say(datagram);
  }
  check_still_works(pair);
}

TEST_CASE("packets that come late or twice are delivered once") {
  Pair pair("aes-256-gcm", {"--no-offload", "udp-gso"});
  constexpr unsigned frames = 500;
  // They are caught on the wire and kept from b, which then gets them in disorder and twice.
  pair.b.run(
      "nft 'add table t; add chain t i { type filter hook input priority 0; }; add rule t i udp dport 6783 "
      "udp length 248 drop'");
  const Tap wire(pair.b.network_namespace(), "eth0", ipv4_ethertype);
  for (unsigned i = 0; i < frames; ++i) {
    auto frame = make_frame(mac_b, mac_a, 200);
    store32(frame.data() + 14, i);
    pair.a.tap().send(frame);
  }
  std::vector<std::vector<std::byte>> caught;
  while (caught.size() < 2 * frames) {
    const auto seen = wire.receive();
    REQUIRE(seen.has_value());
    if (seen->size() != outer_headers + 200 + frame_overhead) continue;
    caught.insert(caught.end(), 2, {seen->begin() + outer_headers, seen->end()});
  }
  std::shuffle(caught.begin(), caught.end(), std::mt19937(1));
  pair.b.run("nft delete table t");
  const Stranger stranger(pair.a);
  for (const auto& datagram : caught)
    stranger.say(datagram);

  std::vector<unsigned> seen(frames);
  for (unsigned i = 0; i < frames; ++i) {
    const auto frame = pair.b.tap().receive();
    REQUIRE(frame.has_value());
    ++seen[load32(frame->data() + 14)];
  }
  CHECK(std::count(seen.begin(), seen.end(), 1U) == frames);
  // The last ones to arrive were delivered before.
  eventually("the others are counted", [&] { return pair.b.counter("dropped_replay") == frames; });
}

}  // namespace
}  // namespace weft::test
