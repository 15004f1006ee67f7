/// Queries the hosts of a segment for the multicast groups that they want, and notices changes.
#pragma once

#include <optional>
#include <vector>

#include "base/clock.h"
#include "io/device/tap_queue.h"
#include "packet/address/ip_address.h"
#include "switch/groups/local_groups.h"
#include "wire/header.h"

namespace weft {

/// Each network has its own querier. There may be no other one on the segment, and without queries
/// memberships would never expire.
class GroupQuerier {
 public:
  /// Starts over for a new TAP of the network: queries sent to the former one may have been lost.
  void restart() noexcept { next_query_ = 0; }
  /// Sends general queries if they are due.
  void poll(PeerId self, const TapQueues& taps, Micros now);
  /// Sends a group-specific query.
  static void ask(PeerId self, const TapQueues& taps, const IpAddress& group);

  /// Returns true if the groups differ from `told`. Until the hosts have had time to answer the first query
  /// nothing is known, so nothing has changed.
  bool changed(LocalGroups& groups, Micros now);
  /// The groups that hosts of the segment want, as last reported; none if they are not known yet.
  [[nodiscard]] const std::optional<std::vector<IpAddress>>& told() const noexcept { return told_; }

 private:
  Micros next_query_ = 0;
  Micros known_from_ = 0;  // when the hosts have had time to answer; 0: no query was sent
  std::optional<std::vector<IpAddress>> told_;
};

}  // namespace weft
