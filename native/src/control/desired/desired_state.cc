#include "control/desired/desired_state.h"

#include <algorithm>

namespace weft {

Peer* DesiredState::find(PeerId id) noexcept {
  const auto at = peers_.find(id);
  return at == peers_.end() ? nullptr : at->second.get();
}

const Peer* DesiredState::find(PeerId id) const noexcept {
  const auto at = peers_.find(id);
  return at == peers_.end() ? nullptr : at->second.get();
}

Peer* DesiredState::add(PeerServices& services, PeerId id, std::size_t threads, unsigned ports,
                        std::uint32_t first_probe_id) {
  auto free = std::find(slots_.begin(), slots_.end(), nullptr);
  if (free == slots_.end()) {
    if (slots_.size() == max_peers) return nullptr;
    free = slots_.insert(slots_.end(), nullptr);
  }
  auto peer = std::make_unique<Peer>(services, id, static_cast<PeerSlot>(free - slots_.begin()), threads,
                                     ports, first_probe_id);
  *free = peer.get();
  Peer* added = (peers_[id] = std::move(peer)).get();
  if (const auto at = endpoints_of_.find(id); at != endpoints_of_.end())
    for (const EndpointKey& key : at->second)
      announce(key, endpoints_.at(key));
  return added;
}

void DesiredState::remove(PeerId id) {
  const auto at = peers_.find(id);
  if (at == peers_.end()) return;
  slots_[at->second->slot()] = nullptr;
  set_networks(*at->second, {});
  if (const auto of_peer = endpoints_of_.find(id); of_peer != endpoints_of_.end())
    for (const EndpointKey& key : of_peer->second)
      announced_.remove(key.first, key.second);
  peers_.erase(at);
}

void DesiredState::set_endpoint(const EndpointKey& key, AnnouncedState announced) {
  remove_endpoint(key);
  announce(key, announced);
  if (announced.peer) endpoints_of_[*announced.peer].insert(key);
  endpoints_.emplace(key, std::move(announced));
}

void DesiredState::announce(const EndpointKey& key, const AnnouncedState& announced) {
  const Peer* peer = announced.peer ? find(*announced.peer) : nullptr;
  if (announced.peer && peer == nullptr) return;
  const MacOwner owner = peer != nullptr ? MacOwner{peer->slot()} : local_owner;
  announced_.put({key.first, key.second, owner, announced.addresses});
}

void DesiredState::remove_endpoint(const EndpointKey& key) {
  const auto at = endpoints_.find(key);
  if (at == endpoints_.end()) return;
  if (at->second.peer) {
    const auto of_peer = endpoints_of_.find(*at->second.peer);
    of_peer->second.erase(key);
    if (of_peer->second.empty()) endpoints_of_.erase(of_peer);
  }
  announced_.remove(key.first, key.second);
  endpoints_.erase(at);
}

void DesiredState::clear_endpoints() {
  endpoints_.clear();
  endpoints_of_.clear();
  announced_ = {};
}

void DesiredState::set_groups(std::uint16_t network, PeerId peer,
                              std::optional<std::vector<IpAddress>> groups) {
  renew_groups(network);
  if (groups)
    groups_[{network, peer}] = std::move(*groups);
  else
    groups_.erase({network, peer});
}

void DesiredState::clear_groups() {
  for (const auto& [key, groups] : groups_)
    renew_groups(key.first);
  groups_.clear();
}

void DesiredState::set_networks(Peer& peer, std::set<std::uint16_t> numbers) {
  if (peer.networks == numbers) return;
  changed_groups_.insert(peer.networks.begin(), peer.networks.end());
  changed_groups_.insert(numbers.begin(), numbers.end());
  peer.networks = std::move(numbers);
}

const Peer* DesiredState::at_slot(MacOwner slot) const noexcept {
  return slot < slots_.size() ? slots_[slot] : nullptr;
}

Peer* DesiredState::key_owner(std::uint32_t local_index) noexcept {
  for (const auto& [id, peer] : peers_)
    for (const auto& session : peer->sessions())
      if (session->opening.index() == local_index) return peer.get();
  return nullptr;
}

bool is_plain(const Peer& peer) noexcept {
  const Session* session = peer.sealing_session();
  const Path& path = peer.path();
  return session != nullptr && !peer.via && path.way() == Way::direct && path.endpoint() &&
         contains(session->trust.ours, path.endpoint()->address()) &&
         contains(session->trust.theirs, path.seen_at_endpoint().address());
}

Destination DesiredState::destination_of(const Peer& peer, int family) const {
  Destination destination;
  const Peer* first = &peer;
  if (peer.via) {
    first = find(*peer.via);
    destination.hop = first != nullptr ? first->sealing_session() : nullptr;
    // A relay must be reachable directly: a peer that needs a relay itself cannot be one.
    if (destination.hop == nullptr || first->via) return {};
  }
  if (first->path().on_stream()) {
    destination.stream = first->stream.get();
  } else {
    if (!first->path().endpoint()) return {};
    destination.endpoint = *first->path().endpoint();
    destination.source = first->path().source();
    destination.address_length = destination.endpoint.to_sockaddr(family, destination.address);
  }
  if (destination.hop == nullptr) destination.side_ports = peer.path().spread().usable();
  destination.plain = is_plain(peer);
  destination.max_sealed = peer.path().mtu() - destination.endpoint.header_overhead() - destination.prefix();
  return destination;
}

GroupTable DesiredState::make_group_table(std::uint16_t network) const {
  std::vector<GroupMember> members;
  for (const auto& [id, peer] : peers_) {
    if (!peer->networks.contains(network)) continue;
    const auto groups = groups_.find({network, id});
    members.push_back({peer->slot(), groups == groups_.end() ? std::nullopt : std::optional(groups->second)});
  }
  return GroupTable(members);
}

std::unique_ptr<const Snapshot> DesiredState::snapshot(int family) {
  for (const std::uint16_t number : std::exchange(changed_groups_, {}))
    if (const auto at = networks.find(number); at != networks.end())
      at->second.wanted = std::make_shared<const GroupTable>(make_group_table(number));
  auto next = std::make_unique<Snapshot>();
  next->endpoints = announced_.table();
  next->self = self;
  next->peers.resize(slots_.size());
  std::size_t keys = 0;
  for (const auto& [id, peer] : peers_)
    keys += peer->sessions().size();
  next->keys = FlatIndex<std::uint32_t, Session*>(keys);
  next->routes = FlatIndex<PeerId, const PeerView*>(peers_.size());
  for (const auto& [id, peer] : peers_) {
    PeerView& view = next->peers[peer->slot()];
    view.id = id;
    view.session = peer->sealing_session();
    view.endpoint = peer->path().endpoint().value_or(Endpoint{});
    view.sought = !peer->path().direct();
    view.stream = peer->stream.get();
    view.destination = destination_of(*peer, family);
    view.mtu = peer->mtu;
    view.traffic = peer->traffic().data();
    next->routes.put(id, &view);
    next->owned.push_back(peer->traffic_owner());
    next->owned.push_back(peer->stream);
    for (const auto& session : peer->sessions()) {
      next->keys.put(session->opening.index(), session.get());
      next->owned.push_back(session);
    }
  }
  for (const auto& [number, network] : networks) {
    NetworkView view{
        {number, {}, network.loop.muted(), network.wanted, network.groups}, network.mtu, network.taps};
    for (const auto& [id, peer] : peers_)
      if (peer->networks.contains(number)) view.members.push_back(peer->slot());
    next->networks.push_back(std::move(view));
  }
  return next;
}

}  // namespace weft
