/// How many new stations a part of a segment may have.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "packet/address/ip_address.h"

namespace weft {

/// A token bucket for the stations of each owner on each segment: whoever makes up addresses fills no table
/// of this host, nor that of a bridge behind it, and keeps no other host's stations out. So many are there
/// within the life of a table's entry that they fit it. One container may bring a quarter of them, where its
/// port is guarded.
class Newcomers {
 public:
  static constexpr std::uint32_t at_once = 4'000;
  static constexpr std::uint32_t per_second = 40;

  /// True if one more may come. `part` tells the owners and segments apart.
  bool admit(std::uint64_t part, std::uint32_t now_s) noexcept {
    Bucket& bucket = buckets_[mix(part) % buckets_.size()];
    // Another worker may have read its clock a moment earlier or later.
    const auto elapsed = static_cast<std::int32_t>(now_s - bucket.since_s);
    if (elapsed > 0) {
      const auto back = std::uint64_t{per_second} * static_cast<std::uint32_t>(elapsed);
      bucket.taken -= static_cast<std::uint32_t>(std::min<std::uint64_t>(bucket.taken, back));
      bucket.since_s = now_s;
    }
    if (bucket.taken == at_once) return false;
    ++bucket.taken;
    return true;
  }

 private:
  struct Bucket {
    std::uint32_t since_s = 0;
    std::uint32_t taken = 0;
  };
  // Parts that share a bucket share its rate.
  std::array<Bucket, 1024> buckets_{};
};

}  // namespace weft
