/// Storm control: it limits how many flooded frames one worker sends for a segment, so that a storm on one
/// segment does not become one on every host.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/clock.h"

namespace weft {

/// A token bucket for each segment, which holds what a second brings.
class StormControl {
 public:
  /// True if one more may go out of `limit` a second; 0: as many as come.
  bool admit(std::uint16_t network, std::uint32_t limit, Micros now) noexcept {
    if (limit == 0) return true;
    Bucket& bucket = bucket_of(network);
    // Tokens are counted in millionths, so that what a short time brings is not lost.
    const std::uint64_t elapsed = std::min<Micros>(now - bucket.since, microseconds_per_second);
    bucket.since = now;
    bucket.tokens = std::min(bucket.tokens + elapsed * limit, unit * limit);
    if (bucket.tokens < unit) return false;
    bucket.tokens -= unit;
    return true;
  }

  /// True if nobody was told of a frame that was refused in the last second.
  bool is_news(std::uint16_t network, Micros now) noexcept {
    Bucket& bucket = bucket_of(network);
    if (now - bucket.told < microseconds_per_second) return false;
    bucket.told = now;
    return true;
  }

 private:
  static constexpr std::uint64_t unit = microseconds_per_second;
  struct Bucket {
    Micros since = 0;
    Micros told = 0;
    std::uint64_t tokens = 0;
  };
  Bucket& bucket_of(std::uint16_t network) noexcept { return buckets_[network % buckets_.size()]; }

  // Segments that share a bucket share its rate. There are few segments.
  std::array<Bucket, 64> buckets_{};
};

}  // namespace weft
