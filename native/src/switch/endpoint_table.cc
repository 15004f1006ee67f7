#include "switch/endpoint_table.h"

namespace weft {

EndpointTable::EndpointTable(std::span<const AnnouncedEndpoint> endpoints) {
  owners_.reserve(endpoints.size());
  neighbours_.reserve(endpoints.size());
  for (const AnnouncedEndpoint& endpoint : endpoints) {
    owners_[station_key(endpoint.network, endpoint.mac)] = endpoint.owner;
    const Neighbour neighbour{endpoint.mac, endpoint.owner};
    for (const IpAddress& address : endpoint.addresses) {
      const auto [at, added] = neighbours_.try_emplace({endpoint.network, address}, neighbour);
      if (!added && at->second != neighbour) at->second = std::nullopt;
    }
  }
}

std::optional<EndpointTable::Neighbour> EndpointTable::neighbour(std::uint16_t network,
                                                                 const IpAddress& address) const noexcept {
  const auto at = neighbours_.find({network, address});
  return at == neighbours_.end() ? std::nullopt : at->second;
}

}  // namespace weft
