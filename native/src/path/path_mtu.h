/// Finds the largest packet that a path carries, by padded probes: RFC 8899.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/clock.h"

namespace weft {

/// Pure: time comes in, sizes to probe go out. All sizes are those of the outer IP packet.
class PathMtu {
 public:
  /// What every path is taken to carry until packets of that size go unanswered: the IPv6 minimum.
  static constexpr std::size_t base = 1280;
  /// What every path that works does carry. What fits it is more than Linux takes for the least MTU of a
  /// path (`ip_rt_min_pmtu`, 552), so that "fragmentation needed" is believed.
  static constexpr std::size_t floor = 640;
  /// Larger ones exist on loopback only, and a UDP_SEGMENT batch has no room for them.
  static constexpr std::size_t ceiling = 65'000;
  static constexpr unsigned tries = 3;
  /// For `base`: to take it for too big by mistake is worse than to find it late.
  static constexpr unsigned base_tries = 9;
  static constexpr Micros search_interval = 600 * microseconds_per_second;
  static constexpr Micros check_interval = 5 * microseconds_per_second;

  /// Forgets what was found and searches: the path is new.
  void start(Micros now);
  /// Not searching and not checking until `start`.
  void stop() noexcept;

  /// Sizes to probe now. `timeout`: how long an answer may take. `busy`: packets were sent since the last
  /// call.
  std::vector<std::size_t> poll(Micros now, Micros timeout, bool busy);
  /// When `poll` wants to be called at the latest.
  [[nodiscard]] Micros deadline() const noexcept { return deadline_; }

  void answered(std::size_t size, Micros now);
  /// The local interface refused a packet of that size.
  void refused(std::size_t size, Micros now);

  /// Largest size proven, or taken for granted.
  [[nodiscard]] std::size_t current() const noexcept { return std::max(low_, assumed_); }
  [[nodiscard]] bool searching() const noexcept { return !in_flight_.empty() && !checking_; }

 private:
  struct InFlight {
    std::size_t size;
    unsigned tries;
    Micros sent;
  };

  void begin_search(std::size_t upper, Micros now);
  void narrow(Micros now);
  void fail(std::size_t size, Micros now);
  void put(std::size_t size);

  bool running_ = false;
  bool checking_ = false;           // the one in flight asks whether `low_` still passes
  std::size_t assumed_ = base;      // or `floor`, once `base` did not pass
  std::size_t low_ = floor;         // largest that passed
  std::size_t high_ = ceiling + 1;  // smallest that did not
  std::vector<InFlight> in_flight_;
  Micros next_search_ = 0;
  Micros next_check_ = 0;
  Micros deadline_ = 0;
};

}  // namespace weft
