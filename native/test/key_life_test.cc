#include <doctest/doctest.h>

#include "control/desired/peer.h"

namespace weft {
namespace {

constexpr Micros second = microseconds_per_second;
constexpr Micros minute = 60 * second;

struct Services final : PeerServices {
  ProbeResult send_probe(Peer&, const ProbeOrder&) override { return ProbeResult::failed; }
  void peer_up(Peer&) override {}
  void peer_down(Peer&) override {}
  void peer_endpoint(Peer&, bool) override {}
  void peer_source(Peer&) override {}
  void peer_direct(Peer&, bool) override {}
  void peer_probed(Peer&, std::uint32_t, Micros) override {}
  void peer_path_mtu(Peer&) override {}
  void peer_observed(Peer&) override {}
  void peer_transport(Peer&) override {}
  void peer_ports(Peer&) override {}
};

// A peer with keys, named by their index, each initiated here.
struct Keys {
  void add(std::uint32_t index, Micros now) {
    const auto aead = [&] { return make_aead(Cipher::chacha20_poly1305, AeadKey{}, index); };
    auto session = std::make_shared<Session>(1, PeerSlot{0}, Role::initiator, Cipher::chacha20_poly1305,
                                             index, index, aead(), aead(), HopKey{}, HopKey{}, Trust{}, now);
    session->installed = true;
    peer.add_session(std::move(session));
  }
  void use(std::uint32_t index) {
    for (const auto& session : peer.sessions())
      if (session->opening.index() == index) session->used = true;
  }
  std::vector<std::uint32_t> after(Micros now) {
    peer.expire_sessions(now);
    std::vector<std::uint32_t> indexes;
    for (const auto& session : peer.sessions())
      indexes.push_back(session->opening.index());
    return indexes;
  }

  Services services;
  Peer peer{services, 1, 0, 1, 1, 1};
};

using Indexes = std::vector<std::uint32_t>;

TEST_CASE("a key that no newer one took the place of neither seals nor opens after twelve hours") {
  Keys keys;
  keys.add(1, second);
  keys.use(1);
  CHECK(keys.after(second + Peer::key_life - 1) == Indexes{1});
  CHECK(keys.peer.sealing_session() != nullptr);
  CHECK(keys.after(second + Peer::key_life).empty());
  CHECK(keys.peer.sealing_session() == nullptr);
  CHECK(keys.peer.probing_session() == nullptr);
}

TEST_CASE("a key goes a minute after a newer one was used, though nobody removes it") {
  Keys keys;
  keys.add(1, second);
  keys.use(1);
  keys.add(2, 2 * minute);
  CHECK(keys.after(10 * minute) == Indexes{1, 2});
  keys.use(2);
  CHECK(keys.after(10 * minute + second) == Indexes{1, 2});
  CHECK(keys.after(11 * minute) == Indexes{1, 2});
  CHECK(keys.after(11 * minute + second) == Indexes{2});
  CHECK(keys.after(Peer::key_life) == Indexes{2});
}

TEST_CASE("nothing is left of a peer without a key, and nothing told") {
  Keys keys;
  CHECK_FALSE(keys.peer.expire_sessions(Peer::key_life));
}

}  // namespace
}  // namespace weft
