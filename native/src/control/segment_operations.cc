/// Requests about endpoints and groups on the segments.
#include <array>

#include "control/forwarder.h"
#include "control/protocol/text.h"
#include "control/requests.h"
#include "packet/messages/loop_probe.h"
#include "packet/messages/neighbour.h"

namespace weft {

Json Forwarder::set_endpoint(const Fields& fields) {
  EndpointSetRequest request(fields);
  const EndpointKey key{request.network, request.mac};
  if (!state_.endpoints().contains(key) && state_.endpoints().size() == max_endpoints)
    throw RequestError("too-many-endpoints",
                       "there are " + std::to_string(max_endpoints) + " endpoints already");
  state_.set_endpoint(key, {request.peer, std::move(request.addresses)});
  dirty_ = true;
  return Json::object();
}

Json Forwarder::remove_endpoint(const Fields& fields) {
  const MacRequest request(fields);
  state_.remove_endpoint({request.network, request.mac});
  dirty_ = true;
  return Json::object();
}

Json Forwarder::clear_endpoints() {
  state_.clear_endpoints();
  state_.clear_groups();
  dirty_ = true;
  return Json::object();
}

Json Forwarder::endpoint_table() const {
  Json endpoints = Json::array();
  for (const auto& [key, announced] : state_.endpoints()) {
    endpoints.push_back({{"network", key.first},
                         {"mac", mac_text(key.second)},
                         {"addresses", texts_of(announced.addresses)},
                         {"peer", announced.peer ? Json(peer_text(*announced.peer)) : Json(nullptr)}});
  }
  return {{"endpoints", std::move(endpoints)}};
}

// The frames come from the router's own MAC, so that what the bridge has learned of the announced MAC stays.
Json Forwarder::announce(const Fields& fields) const {
  const AnnounceRequest request(fields);
  const auto at = state_.networks.find(request.network);
  if (at == state_.networks.end() || at->second.taps == nullptr || state_.self == 0) return Json::object();
  std::array<std::byte, max_neighbour_announcement> frame;
  for (const IpAddress& address : request.addresses) {
    const auto size = build_neighbour_announcement(address, request.mac, router_mac(state_.self), frame);
    // An announcement is sent at best effort: hosts also learn the address when they ask for it.
    [[maybe_unused]] const bool written = at->second.taps->any().write_frame(ConstBytes{frame}.first(size));
  }
  return Json::object();
}

// Goes where a broadcast of this host would: not to a peer without the segment, nor while a loop mutes it.
Json Forwarder::hail(const Fields& fields) {
  const HailRequest request(fields);
  const Peer& peer = required_peer(fields);
  const auto at = state_.networks.find(request.network);
  const bool carried = at != state_.networks.end() && at->second.taps != nullptr &&
                       !at->second.loop.muted() && peer.networks.contains(request.network);
  if (!carried) return {{"sent", false}};
  std::array<std::byte, loop_probe_size> frame;
  encode(Hail{state_.self, request.network, request.number}, frame);
  const Peer* relay = peer.via ? state_.find(*peer.via) : nullptr;
  const ProbeResult result = prober_.send_frame(peer, relay, state_.self, request.network, frame);
  return {{"sent", result == ProbeResult::sent}};
}

Json Forwarder::set_peer_groups(const Fields& fields) {
  PeerGroupsRequest request(fields);
  state_.set_groups(request.network, request.peer, std::move(request.groups));
  dirty_ = true;
  return Json::object();
}

Json Forwarder::local_groups() const {
  Json networks = Json::array();
  for (const auto& [number, network] : state_.networks)
    networks.push_back(
        {{"network", number},
         {"groups", network.querier.told() ? texts_of(*network.querier.told()) : Json(nullptr)}});
  return {{"networks", std::move(networks)}};
}

}  // namespace weft
