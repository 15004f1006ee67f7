/// How many frames to everybody one worker sends for a segment: a storm there must not become one everywhere.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "io/clock.h"

namespace weft {

/// A token bucket for each segment.
class FloodLimit {
 public:
  static constexpr std::uint64_t per_second = 5000;
  static constexpr std::uint64_t burst = 5000;

  /// True if one more may go out.
  bool admit(std::uint16_t network, Micros now) noexcept {
    Bucket& bucket = buckets_[network % buckets_.size()];
    // In units of a millionth, so that what a short time brings is not lost.
    const std::uint64_t elapsed = std::min<Micros>(now - bucket.since, microseconds_per_second);
    bucket.since = now;
    bucket.tokens = std::min(bucket.tokens + elapsed * per_second, burst * unit);
    if (bucket.tokens < unit) return false;
    bucket.tokens -= unit;
    return true;
  }

 private:
  static constexpr std::uint64_t unit = microseconds_per_second;
  struct Bucket {
    Micros since = 0;
    std::uint64_t tokens = burst * unit;
  };
  // Segments that share one share its rate: there are few.
  std::array<Bucket, 64> buckets_{};
};

}  // namespace weft
