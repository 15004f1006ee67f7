#include "switch/announced_endpoints.h"

namespace weft {

void AnnouncedEndpoints::put(const AnnouncedEndpoint& endpoint) {
  const auto& [network, mac, owner, addresses] = endpoint;
  remove(network, mac);
  const std::uint64_t station = station_key(network, mac);
  const std::size_t shard = EndpointTable::shard_of(station);
  stations_[shard].insert_or_assign(station, Station{owner, addresses});
  changed_stations_.set(shard);
  for (const IpAddress& address : addresses) {
    const SegmentAddress key{network, address};
    const std::size_t of_address = EndpointTable::shard_of(key);
    holders_[of_address].insert_or_assign({key, mac}, owner);
    changed_holders_.set(of_address);
  }
}

void AnnouncedEndpoints::remove(std::uint16_t network, const MacAddress& mac) {
  const std::uint64_t station = station_key(network, mac);
  const std::size_t shard = EndpointTable::shard_of(station);
  const auto at = stations_[shard].find(station);
  if (at == stations_[shard].end()) return;
  forget_addresses(network, mac, at->second);
  stations_[shard].erase(at);
  changed_stations_.set(shard);
}

void AnnouncedEndpoints::forget_addresses(std::uint16_t network, const MacAddress& mac,
                                          const Station& station) {
  for (const IpAddress& address : station.addresses) {
    const SegmentAddress key{network, address};
    const std::size_t shard = EndpointTable::shard_of(key);
    holders_[shard].erase({key, mac});
    changed_holders_.set(shard);
  }
}

std::shared_ptr<const EndpointTable> AnnouncedEndpoints::table() {
  if (changed_stations_.none() && changed_holders_.none()) return table_;
  auto next = std::make_shared<EndpointTable>(*table_);
  for (std::size_t shard = 0; shard < shard_count; ++shard) {
    if (changed_stations_.test(shard)) renew_owners(*next, shard);
    if (changed_holders_.test(shard)) renew_neighbours(*next, shard);
  }
  changed_stations_.reset();
  changed_holders_.reset();
  return table_ = std::move(next);
}

void AnnouncedEndpoints::renew_owners(EndpointTable& table, std::size_t shard) const {
  auto owners = std::make_shared<EndpointTable::Owners>();
  owners->reserve(stations_[shard].size());
  for (const auto& [station, announced] : stations_[shard])
    owners->emplace(station, announced.owner);
  table.owners_[shard] = owners->empty() ? nullptr : std::move(owners);
}

void AnnouncedEndpoints::renew_neighbours(EndpointTable& table, std::size_t shard) const {
  auto neighbours = std::make_shared<EndpointTable::Neighbours>();
  neighbours->reserve(holders_[shard].size());
  for (const auto& [key, owner] : holders_[shard]) {
    const EndpointTable::Neighbour neighbour{key.second, owner};
    const auto [at, is_only] = neighbours->try_emplace(key.first, neighbour);
    if (!is_only) at->second = std::nullopt;
  }
  table.neighbours_[shard] = neighbours->empty() ? nullptr : std::move(neighbours);
}

}  // namespace weft
