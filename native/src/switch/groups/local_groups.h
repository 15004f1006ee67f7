/// Which multicast groups somebody on this host's side of a segment wants.
#pragma once

#include <map>
#include <mutex>
#include <vector>

#include "base/clock.h"
#include "packet/address/ip_address.h"

namespace weft {

/// All groups of a family, as they are announced.
const IpAddress& all_ipv4_groups() noexcept;
const IpAddress& all_ipv6_groups() noexcept;

/// Workers tell what they saw, the control thread asks for what follows. What is wanted is forgotten when
/// nobody says so again for `lifetime`, so somebody must ask. When in doubt, a group is wanted.
class LocalGroups {
 public:
  static constexpr Micros lifetime = 150 * microseconds_per_second;
  /// After somebody left, others have so long to say that they stay.
  static constexpr Micros last_call = 3 * microseconds_per_second;
  /// More than these: all.
  static constexpr std::size_t capacity = 250;

  /// True if it was not wanted before.
  bool wanted(const IpAddress& group, Micros now);
  /// True if it is to be asked for, to see who stays.
  bool left(const IpAddress& group, Micros now);
  /// A multicast router is here, which wants all groups of that family.
  bool router(bool ipv4, Micros now);

  /// Forgets what nobody wants any more; the rest, in order. More than `capacity` are told as all.
  std::vector<IpAddress> current(Micros now);

 private:
  std::mutex mutex_;
  std::map<IpAddress, Micros> until_;
};

}  // namespace weft
