/// Multicast that has just begun, which goes to everybody: who joined a moment ago is not known everywhere
/// yet.
#pragma once

#include <array>

#include "base/clock.h"
#include "packet/address/ip_address.h"

namespace weft {

class NewGroups {
 public:
  /// How long a group counts as new.
  static constexpr Micros grace = 3 * microseconds_per_second;
  /// After so long without frames it is new again.
  static constexpr Micros forgotten = 30 * microseconds_per_second;

  /// True if the frame is one of the first of its group.
  bool is_new(const SegmentAddress& group, Micros now) noexcept {
    Entry& entry = entries_[SegmentAddressHash{}(group) % entries_.size()];
    // Two groups in one place take it from each other, and stay new: more is sent than need be.
    if (entry.group != group || now - entry.last >= forgotten) entry = {group, now, now};
    entry.last = now;
    return now - entry.began < grace;
  }

 private:
  struct Entry {
    SegmentAddress group{};
    Micros began = 0;
    Micros last = 0;
  };
  std::array<Entry, 512> entries_{};
};

}  // namespace weft
