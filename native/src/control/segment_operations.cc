/// Requests about what lives on the segments.
#include <array>

#include "control/forwarder.h"
#include "control/protocol/text.h"
#include "packet/messages/loop_probe.h"
#include "packet/messages/neighbour.h"

namespace weft {
namespace {

constexpr std::size_t max_addresses = 256;

std::uint16_t network_of(const Fields& fields) {
  return static_cast<std::uint16_t>(fields.number("network", 0, UINT16_MAX));
}

}  // namespace

Json Forwarder::set_endpoint(const Fields& fields) {
  const MacAddress mac = fields.mac("mac");
  if (is_group(mac)) throw RequestError("bad-request", "field 'mac' must not be a group address");
  auto addresses = fields.addresses("addresses", max_addresses);
  const auto peer = fields.peer_or_none("peer");
  auto& endpoints = state_.endpoints;
  const EndpointKey key{network_of(fields), mac};
  if (!endpoints.contains(key) && endpoints.size() == max_endpoints)
    throw RequestError("too-many-endpoints",
                       "there are " + std::to_string(max_endpoints) + " endpoints already");
  endpoints.insert_or_assign(key, AnnouncedState{peer, std::move(addresses)});
  state_.endpoints_changed = dirty_ = true;
  return Json::object();
}

Json Forwarder::remove_endpoint(const Fields& fields) {
  state_.endpoints.erase({network_of(fields), fields.mac("mac")});
  state_.endpoints_changed = dirty_ = true;
  return Json::object();
}

Json Forwarder::clear_endpoints() {
  state_.endpoints.clear();
  state_.peer_groups.clear();
  state_.endpoints_changed = state_.groups_changed = dirty_ = true;
  return Json::object();
}

Json Forwarder::endpoint_table() const {
  Json endpoints = Json::array();
  for (const auto& [key, announced] : state_.endpoints) {
    endpoints.push_back({{"network", key.first},
                         {"mac", mac_text(key.second)},
                         {"addresses", texts_of(announced.addresses)},
                         {"peer", announced.peer ? Json(peer_text(*announced.peer)) : Json(nullptr)}});
  }
  return {{"endpoints", std::move(endpoints)}};
}

// From an address of our own: what the bridge has learned of the MAC stays.
Json Forwarder::announce(const Fields& fields) const {
  const MacAddress mac = fields.mac("mac");
  const auto addresses = fields.addresses("addresses", max_addresses);
  const auto at = state_.networks.find(network_of(fields));
  if (at == state_.networks.end() || at->second.taps == nullptr || state_.self == 0) return Json::object();
  std::array<std::byte, max_neighbour_announcement> frame;
  for (const IpAddress& address : addresses) {
    const auto size = build_neighbour_announcement(address, mac, router_mac(state_.self), frame);
    at->second.taps->any().write_frame(ConstBytes{frame}.first(size));
  }
  return Json::object();
}

Json Forwarder::set_peer_groups(const Fields& fields) {
  const auto key = std::pair{network_of(fields), fields.peer("peer")};
  if (fields.has("groups"))
    state_.peer_groups[key] = fields.addresses("groups", max_addresses);
  else
    state_.peer_groups.erase(key);
  state_.groups_changed = dirty_ = true;
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
