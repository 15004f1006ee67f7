/// The announced endpoints as the control thread changes them.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>

#include "switch/endpoint_table.h"

namespace weft {

/// Builds the workers' tables. A change costs no more than the shards that it touches, whoever announces how
/// much.
class AnnouncedEndpoints {
 public:
  /// Replaces what was announced of that MAC before.
  void put(const AnnouncedEndpoint& endpoint);
  void remove(std::uint16_t network, const MacAddress& mac);
  /// Returns the same table as long as nothing changes.
  [[nodiscard]] std::shared_ptr<const EndpointTable> table();

 private:
  static constexpr std::size_t shard_count = EndpointTable::shard_count;

  struct Station {
    MacOwner owner = local_owner;
    std::vector<IpAddress> addresses;
  };
  using Stations = std::map<std::uint64_t, Station>;
  /// Ordered, so that those who announce one address stand side by side.
  using Holders = std::map<std::pair<SegmentAddress, MacAddress>, MacOwner>;

  void forget_addresses(std::uint16_t network, const MacAddress& mac, const Station& station);
  void renew_owners(EndpointTable& table, std::size_t shard) const;
  void renew_neighbours(EndpointTable& table, std::size_t shard) const;

  std::array<Stations, shard_count> stations_;
  std::array<Holders, shard_count> holders_;
  std::bitset<shard_count> changed_stations_;
  std::bitset<shard_count> changed_holders_;
  std::shared_ptr<const EndpointTable> table_ = std::make_shared<const EndpointTable>();
};

}  // namespace weft
