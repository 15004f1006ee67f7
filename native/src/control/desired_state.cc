#include "control/desired_state.h"

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

Peer* DesiredState::add(PeerServices& services, PeerId id, std::size_t threads,
                        std::uint32_t first_probe_id) {
  auto free = std::find(slots_.begin(), slots_.end(), nullptr);
  if (free == slots_.end()) {
    if (slots_.size() == max_peers) return nullptr;
    free = slots_.insert(slots_.end(), nullptr);
  }
  auto peer = std::make_unique<Peer>(services, id, static_cast<PeerSlot>(free - slots_.begin()), threads,
                                     first_probe_id);
  *free = peer.get();
  return (peers_[id] = std::move(peer)).get();
}

void DesiredState::remove(PeerId id) {
  const auto at = peers_.find(id);
  if (at == peers_.end()) return;
  slots_[at->second->slot()] = nullptr;
  peers_.erase(at);
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

Destination DesiredState::destination_of(const Peer& peer, int family) const {
  Destination destination;
  const Peer* first = &peer;
  if (peer.via) {
    first = find(*peer.via);
    destination.hop = first != nullptr ? first->sealing_session() : nullptr;
    // A relay is reached directly: one that needs a relay itself is none.
    if (destination.hop == nullptr || first->via) return {};
  }
  if (!first->path().endpoint()) return {};
  destination.endpoint = *first->path().endpoint();
  destination.address_length = destination.endpoint.to_sockaddr(family, destination.address);
  destination.max_sealed = peer.path().mtu() - destination.endpoint.header_overhead() - destination.prefix();
  return destination;
}

std::unique_ptr<const Snapshot> DesiredState::snapshot(int family) const {
  auto next = std::make_unique<Snapshot>();
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
    view.destination = destination_of(*peer, family);
    view.mtu = peer->mtu;
    view.traffic = peer->traffic().data();
    next->routes.put(id, &view);
    next->owned.push_back(peer->traffic_owner());
    for (const auto& session : peer->sessions()) {
      next->keys.put(session->opening.index(), session.get());
      next->owned.push_back(session);
    }
  }
  for (const auto& [number, network] : networks) {
    NetworkView view{number, network.mtu, network.taps, {}};
    for (const auto& [id, peer] : peers_)
      if (peer->networks.contains(number)) view.members.push_back(peer->slot());
    next->networks.push_back(std::move(view));
  }
  return next;
}

}  // namespace weft
