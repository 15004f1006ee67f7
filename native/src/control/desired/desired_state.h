/// The desired state: peers, their keys, and networks. The control thread owns it and builds the workers'
/// snapshots from it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "control/desired/peer.h"
#include "control/group_querier.h"
#include "state/snapshot.h"
#include "switch/loop_guard.h"
#include "switch/mac_table.h"

namespace weft {

struct Network {
  std::uint16_t number = 0;
  std::size_t mtu = 0;                    ///< 0: the daemon has not set it yet
  std::shared_ptr<const TapQueues> taps;  ///< null: there is no TAP yet
  LoopGuard loop;
  Micros next_storm_report = 0;
  std::shared_ptr<const GroupTable> wanted = std::make_shared<const GroupTable>();
  std::shared_ptr<LocalGroups> groups = std::make_shared<LocalGroups>();
  GroupQuerier querier;
};

using EndpointKey = std::pair<std::uint16_t, MacAddress>;
inline constexpr std::size_t max_endpoints = 262'144;

struct AnnouncedState {
  std::optional<PeerId> peer;  ///< none: the endpoint is on this host
  std::vector<IpAddress> addresses;
};

/// True if packets to the peer are not encrypted, because they travel directly between addresses that both
/// ends trust.
[[nodiscard]] bool is_plain(const Peer& peer) noexcept;

class DesiredState {
 public:
  PeerId self = 0;
  std::map<std::uint16_t, Network> networks;
  std::map<EndpointKey, AnnouncedState> endpoints;
  bool endpoints_changed = false;
  /// The multicast groups of each peer in each network. The groups of a peer that is not listed are unknown.
  std::map<std::pair<std::uint16_t, PeerId>, std::vector<IpAddress>> peer_groups;
  bool groups_changed = false;

  [[nodiscard]] Peer* find(PeerId id) noexcept;
  [[nodiscard]] const Peer* find(PeerId id) const noexcept;
  /// Returns null when all slots are taken. The peer must not exist yet.
  Peer* add(PeerServices& services, PeerId id, std::size_t threads, std::uint32_t first_probe_id);
  void remove(PeerId id);
  [[nodiscard]] const std::map<PeerId, std::unique_ptr<Peer>>& peers() const noexcept { return peers_; }
  /// Returns the peer in a slot, or null if the slot is free.
  [[nodiscard]] const Peer* at_slot(MacOwner slot) const noexcept;
  /// Returns the peer that has the key of that index, or null.
  [[nodiscard]] Peer* key_owner(std::uint32_t local_index) noexcept;

  /// Builds what the workers need to know. `family` is the address family of their sockets.
  [[nodiscard]] std::unique_ptr<const Snapshot> snapshot(int family);

 private:
  [[nodiscard]] EndpointTable make_endpoint_table() const;
  [[nodiscard]] GroupTable make_group_table(std::uint16_t network) const;
  [[nodiscard]] Destination destination_of(const Peer& peer, int family) const;

  std::map<PeerId, std::unique_ptr<Peer>> peers_;
  std::vector<Peer*> slots_;
  std::shared_ptr<const EndpointTable> endpoint_table_ = std::make_shared<const EndpointTable>();
};

}  // namespace weft
