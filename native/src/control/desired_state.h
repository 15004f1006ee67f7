/// What should be: peers, their keys, networks. Owned by the control thread, which makes the workers'
/// snapshots of it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "control/peer.h"
#include "state/snapshot.h"
#include "switch/mac_table.h"

namespace weft {

struct Network {
  std::uint16_t number = 0;
  std::size_t mtu = 0;                    ///< 0: not told yet
  std::shared_ptr<const TapQueues> taps;  ///< null: no TAP yet
};

class DesiredState {
 public:
  PeerId self = 0;
  std::map<std::uint16_t, Network> networks;

  [[nodiscard]] Peer* find(PeerId id) noexcept;
  [[nodiscard]] const Peer* find(PeerId id) const noexcept;
  /// Null when all slots are taken. There must not be such a peer yet.
  Peer* add(PeerServices& services, PeerId id, std::size_t threads, std::uint32_t first_probe_id);
  void remove(PeerId id);
  [[nodiscard]] const std::map<PeerId, std::unique_ptr<Peer>>& peers() const noexcept { return peers_; }
  /// The peer of a slot, null if it is free.
  [[nodiscard]] const Peer* at_slot(MacOwner slot) const noexcept;
  /// The peer that has a key of that index.
  [[nodiscard]] Peer* key_owner(std::uint32_t local_index) noexcept;

  /// What a worker must know of it. `family`: the sockets'.
  [[nodiscard]] std::unique_ptr<const Snapshot> snapshot(int family) const;

 private:
  [[nodiscard]] Destination destination_of(const Peer& peer, int family) const;

  std::map<PeerId, std::unique_ptr<Peer>> peers_;
  std::vector<Peer*> slots_;
};

}  // namespace weft
