/// To which peers a multicast frame goes.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "packet/address/ip_address.h"
#include "switch/mac_table.h"

namespace weft {

/// A peer that has the segment, and the groups that are wanted there; nothing: not known, so all may be.
struct GroupMember {
  MacOwner slot = 0;
  std::optional<std::vector<IpAddress>> groups;
};

/// Of one segment. Built once, then read by all workers. A peer whose groups do not fit in any more gets all
/// multicast frames, as a switch whose table is full floods them (RFC 4541, 2.1.2).
class GroupTable {
 public:
  /// Maximum number of groups: the work to build a table is that times the number of peers at most.
  static constexpr std::size_t capacity = 4096;

  GroupTable() = default;
  explicit GroupTable(std::span<const GroupMember> members);

  [[nodiscard]] std::span<const MacOwner> wanting(const IpAddress& group) const noexcept {
    const auto at = wanting_.find({0, group});
    return at != wanting_.end() ? at->second : routers(group.is_ipv4());
  }
  /// Those that want whatever there is of a family: multicast routers are there, or nobody knows.
  [[nodiscard]] std::span<const MacOwner> routers(bool ipv4) const noexcept {
    return ipv4 ? ipv4_routers_ : ipv6_routers_;
  }

 private:
  /// Makes places for the groups; false: they do not fit in any more.
  bool make_places(std::span<const IpAddress> groups);

  std::unordered_map<SegmentAddress, std::vector<MacOwner>, SegmentAddressHash> wanting_;
  std::vector<MacOwner> ipv4_routers_;
  std::vector<MacOwner> ipv6_routers_;
};

}  // namespace weft
