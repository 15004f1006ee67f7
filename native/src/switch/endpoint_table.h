/// What routers announced of the containers attached to them: which MAC is where, and which IP address it
/// has.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "packet/address/ip_address.h"
#include "packet/parse.h"
#include "switch/mac_table.h"

namespace weft {

/// An attached container's interface. `owner` is who announced it.
struct AnnouncedEndpoint {
  std::uint16_t network = 0;
  MacAddress mac{};
  MacOwner owner = local_owner;
  std::vector<IpAddress> addresses;
};

/// Never changes, and is read by all workers. What is announced counts more than what was learned.
///
/// It is kept in shards by keyed hash, which a table shares with the one before it where nothing changed.
class EndpointTable {
 public:
  struct Neighbour {
    MacAddress mac{};
    MacOwner owner = local_owner;
    bool operator==(const Neighbour&) const = default;
  };
  struct StationHash {
    std::size_t operator()(std::uint64_t key) const noexcept { return mix(key ^ hash_seed); }
  };
  using Owners = std::unordered_map<std::uint64_t, MacOwner, StationHash>;
  using Neighbours = std::unordered_map<SegmentAddress, std::optional<Neighbour>, SegmentAddressHash>;

  static constexpr std::size_t shard_count = 256;
  [[nodiscard]] static std::size_t shard_of(std::uint64_t station) noexcept {
    return StationHash{}(station) >> shard_shift;
  }
  [[nodiscard]] static std::size_t shard_of(const SegmentAddress& address) noexcept {
    return SegmentAddressHash{}(address) >> shard_shift;
  }

  [[nodiscard]] std::optional<MacOwner> owner(std::uint16_t network, const MacAddress& mac) const noexcept {
    const std::uint64_t station = station_key(network, mac);
    const Owners* shard = owners_[shard_of(station)].get();
    if (shard == nullptr) return std::nullopt;
    const auto at = shard->find(station);
    return at == shard->end() ? std::nullopt : std::optional(at->second);
  }
  /// Who has an address; nobody if several announce it, for then only asking them tells.
  [[nodiscard]] std::optional<Neighbour> neighbour(std::uint16_t network,
                                                   const IpAddress& address) const noexcept {
    const SegmentAddress key{network, address};
    const Neighbours* shard = neighbours_[shard_of(key)].get();
    if (shard == nullptr) return std::nullopt;
    const auto at = shard->find(key);
    return at == shard->end() ? std::nullopt : at->second;
  }

 private:
  friend class AnnouncedEndpoints;

  // The highest bits choose the shard, so that they leave the places inside it evenly spread.
  static constexpr unsigned shard_shift = 64 - 8;
  static_assert(shard_count == std::size_t{1} << (64 - shard_shift));

  std::array<std::shared_ptr<const Owners>, shard_count> owners_{};  ///< null: nothing is in it
  std::array<std::shared_ptr<const Neighbours>, shard_count> neighbours_{};
};

}  // namespace weft
