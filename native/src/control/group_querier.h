/// Asks the hosts of a segment which multicast groups they want, and notices when that changes.
#pragma once

#include <optional>
#include <vector>

#include "base/clock.h"
#include "io/tap_queue.h"
#include "packet/address/ip_address.h"
#include "switch/groups/local_groups.h"
#include "wire/header.h"

namespace weft {

/// One a network. Nobody else may be asking there, and without questions nobody would be forgotten.
class GroupQuerier {
 public:
  /// The network has a new TAP: what was asked may have been lost in the former one.
  void restart() noexcept { next_query_ = 0; }
  /// Asks for all groups if that is due.
  void poll(PeerId self, const TapQueues& taps, Micros now);
  /// Asks who wants one group.
  static void ask(PeerId self, const TapQueues& taps, const IpAddress& group);

  /// True if the groups are others than `told` has. Nothing is known, and so nothing changes, until the hosts
  /// have had the time to answer the first question.
  bool changed(LocalGroups& groups, Micros now);
  /// What is wanted here, if that is known.
  [[nodiscard]] const std::optional<std::vector<IpAddress>>& told() const noexcept { return told_; }

 private:
  Micros next_query_ = 0;
  Micros known_from_ = 0;  // from then on silence means that nobody wants a group; 0: never asked
  std::optional<std::vector<IpAddress>> told_;
};

}  // namespace weft
