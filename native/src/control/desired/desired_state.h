/// The desired state: peers, their keys, and networks. The control thread owns it and builds the workers'
/// snapshots from it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "control/desired/peer.h"
#include "control/group_querier.h"
#include "state/snapshot.h"
#include "switch/announced_endpoints.h"
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

  [[nodiscard]] Peer* find(PeerId id) noexcept;
  [[nodiscard]] const Peer* find(PeerId id) const noexcept;
  /// Returns null when all slots are taken. The peer must not exist yet.
  Peer* add(PeerServices& services, PeerId id, std::size_t threads, unsigned ports,
            std::uint32_t first_probe_id);
  void remove(PeerId id);
  void set_networks(Peer& peer, std::set<std::uint16_t> numbers);
  [[nodiscard]] const std::map<PeerId, std::unique_ptr<Peer>>& peers() const noexcept { return peers_; }
  /// Returns the peer in a slot, or null if the slot is free.
  [[nodiscard]] const Peer* at_slot(MacOwner slot) const noexcept;
  /// Returns the peer that has the key of that index, or null.
  [[nodiscard]] Peer* key_owner(std::uint32_t local_index) noexcept;

  [[nodiscard]] const std::map<EndpointKey, AnnouncedState>& endpoints() const noexcept { return endpoints_; }
  void set_endpoint(const EndpointKey& key, AnnouncedState announced);
  void remove_endpoint(const EndpointKey& key);
  void clear_endpoints();

  /// The multicast groups that are wanted at a peer; nothing: they are unknown.
  void set_groups(std::uint16_t network, PeerId peer, std::optional<std::vector<IpAddress>> groups);
  void clear_groups();
  /// Has the groups that are wanted in the network put together anew for the next snapshot.
  void renew_groups(std::uint16_t network) { changed_groups_.insert(network); }

  /// Builds what the workers need to know. `family` is the address family of their sockets.
  [[nodiscard]] std::unique_ptr<const Snapshot> snapshot(int family);

 private:
  /// Announces the endpoint to the workers, unless its peer is unknown, or not known yet.
  void announce(const EndpointKey& key, const AnnouncedState& announced);
  [[nodiscard]] GroupTable make_group_table(std::uint16_t network) const;
  [[nodiscard]] Destination destination_of(const Peer& peer, int family) const;

  std::map<PeerId, std::unique_ptr<Peer>> peers_;
  std::vector<Peer*> slots_;
  std::map<EndpointKey, AnnouncedState> endpoints_;
  std::map<PeerId, std::set<EndpointKey>> endpoints_of_;
  AnnouncedEndpoints announced_;
  std::map<std::pair<std::uint16_t, PeerId>, std::vector<IpAddress>> groups_;
  std::set<std::uint16_t> changed_groups_;
};

}  // namespace weft
