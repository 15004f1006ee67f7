/// Everything that the control thread knows of one peer.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "path/path.h"
#include "state/session.h"
#include "state/snapshot.h"

namespace weft {

class Peer;

/// What a peer needs from the forwarder around it.
class PeerServices {
 public:
  virtual ~PeerServices() = default;
  virtual ProbeResult send_probe(Peer& peer, const ProbeOrder& order) = 0;
  virtual void peer_up(Peer& peer) = 0;
  virtual void peer_down(Peer& peer) = 0;
  virtual void peer_endpoint(Peer& peer, bool roamed) = 0;
  virtual void peer_source(Peer& peer) = 0;
  virtual void peer_direct(Peer& peer, bool answers) = 0;
  virtual void peer_probed(Peer& peer, std::uint32_t id, Micros rtt) = 0;
  virtual void peer_path_mtu(Peer& peer) = 0;
  virtual void peer_observed(Peer& peer) = 0;
  virtual void peer_transport(Peer& peer) = 0;
  virtual void peer_ports(Peer& peer) = 0;
};

class Peer final : private PathObserver {
 public:
  static constexpr std::size_t max_keys = 4;
  /// How long a key still opens packets that were on their way when a newer one was used first.
  static constexpr Micros replaced_life = 60 * microseconds_per_second;
  /// No key is used for longer, whether there is another or not: it takes two living daemons to agree on one.
  static constexpr Micros key_life = Micros{12} * 3600 * microseconds_per_second;

  /// `threads` is the number of rows of traffic counters: one for each worker, then one for the control
  /// thread. `ports` is the number of source ports.
  Peer(PeerServices& services, PeerId id, PeerSlot slot, std::size_t threads, unsigned ports,
       std::uint32_t first_probe_id);

  [[nodiscard]] PeerId id() const noexcept { return id_; }
  [[nodiscard]] PeerSlot slot() const noexcept { return slot_; }
  [[nodiscard]] Path& path() noexcept { return path_; }
  [[nodiscard]] const Path& path() const noexcept { return path_; }

  std::optional<PeerId> via;
  std::set<std::uint16_t> networks;
  std::size_t mtu = 0;  // of the containers behind the peer; 0: unknown
  std::shared_ptr<Stream> stream;

  /// Adds a key. When there are too many, the oldest one that is not in use is removed and returned.
  std::shared_ptr<Session> add_session(std::shared_ptr<Session> session);
  std::shared_ptr<Session> remove_session(std::uint32_t local_index);
  /// Removes the keys whose time is over; true if there were any.
  bool expire_sessions(Micros now);
  /// The keys, oldest first.
  [[nodiscard]] const std::vector<std::shared_ptr<Session>>& sessions() const noexcept { return sessions_; }
  /// Returns the newest key that the other side is known to have, or null if there is none.
  [[nodiscard]] Session* sealing_session() const noexcept;
  /// Returns the key for probes. Before any key is confirmed that is the newest one, so that both sides open
  /// their NATs.
  [[nodiscard]] Session* probing_session() const noexcept;

  /// Traffic counters, one row for each thread.
  [[nodiscard]] std::span<PeerTraffic> traffic() const noexcept { return {traffic_.get(), threads_}; }
  /// The rows live as long as a copy of this pointer.
  [[nodiscard]] std::shared_ptr<void> traffic_owner() const noexcept { return traffic_; }
  /// Number of packets sent to the peer, not counting probes and replies.
  [[nodiscard]] std::uint64_t sent_packets() const noexcept;

 private:
  ProbeResult send_probe(const ProbeOrder& order) override { return services_.send_probe(*this, order); }
  void path_up() override { services_.peer_up(*this); }
  void path_down() override { services_.peer_down(*this); }
  void endpoint_changed(bool roamed) override { services_.peer_endpoint(*this, roamed); }
  void source_changed() override { services_.peer_source(*this); }
  void direct_changed(bool answers) override { services_.peer_direct(*this, answers); }
  void probe_answered(std::uint32_t id, Micros rtt) override { services_.peer_probed(*this, id, rtt); }
  void path_mtu_changed() override { services_.peer_path_mtu(*this); }
  void observed_changed() override { services_.peer_observed(*this); }
  void transport_changed() override { services_.peer_transport(*this); }
  void ports_changed() override { services_.peer_ports(*this); }

  PeerServices& services_;
  PeerId id_;
  PeerSlot slot_;
  std::size_t threads_;
  std::shared_ptr<PeerTraffic[]> traffic_;
  std::vector<std::shared_ptr<Session>> sessions_;
  Path path_;
};

}  // namespace weft
