/// What routers announced of the containers attached to them: which MAC is where, and which IP address it
/// has.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
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

/// Built once, then read by all workers. What is announced counts more than what was learned.
class EndpointTable {
 public:
  struct Neighbour {
    MacAddress mac{};
    MacOwner owner = local_owner;
    bool operator==(const Neighbour&) const = default;
  };

  EndpointTable() = default;
  explicit EndpointTable(std::span<const AnnouncedEndpoint> endpoints);

  [[nodiscard]] std::optional<MacOwner> owner(std::uint16_t network, const MacAddress& mac) const noexcept {
    if (owners_.empty()) return std::nullopt;
    const auto at = owners_.find(station_key(network, mac));
    return at == owners_.end() ? std::nullopt : std::optional(at->second);
  }
  /// Who has an address; nobody if several announce it, for then only asking them tells.
  [[nodiscard]] std::optional<Neighbour> neighbour(std::uint16_t network,
                                                   const IpAddress& address) const noexcept;

 private:
  struct MacHash {
    std::size_t operator()(std::uint64_t key) const noexcept { return mix(key ^ hash_seed); }
  };

  std::unordered_map<std::uint64_t, MacOwner, MacHash> owners_;
  std::unordered_map<SegmentAddress, std::optional<Neighbour>, SegmentAddressHash> neighbours_;
};

}  // namespace weft
