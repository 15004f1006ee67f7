/// Running estimates of a path: round trip (RFC 6298) and loss.
#pragma once

#include <bit>
#include <cstdint>

#include "base/clock.h"

namespace weft {

class RoundTrip {
 public:
  void sample(Micros rtt) noexcept {
    last_ = rtt;
    if (!known_) {
      smoothed_ = rtt;
      variance_ = rtt / 2;
      known_ = true;
      return;
    }
    const Micros difference = rtt > smoothed_ ? rtt - smoothed_ : smoothed_ - rtt;
    variance_ = (3 * variance_ + difference) / 4;
    smoothed_ = (7 * smoothed_ + rtt) / 8;
  }
  void reset() noexcept { *this = RoundTrip{}; }

  [[nodiscard]] bool known() const noexcept { return known_; }
  [[nodiscard]] Micros smoothed() const noexcept { return smoothed_; }
  [[nodiscard]] Micros last() const noexcept { return last_; }
  [[nodiscard]] Micros variance() const noexcept { return variance_; }

 private:
  bool known_ = false;
  Micros last_ = 0;
  Micros smoothed_ = 0;
  Micros variance_ = 0;
};

/// Share of the last 64 probes that nobody answered.
class Loss {
 public:
  void add(bool lost) noexcept {
    history_ = history_ << 1 | (lost ? 1U : 0U);
    if (count_ < 64) ++count_;
  }
  [[nodiscard]] double share() const noexcept {
    return count_ == 0 ? 0.0 : static_cast<double>(std::popcount(history_)) / count_;
  }

 private:
  std::uint64_t history_ = 0;
  int count_ = 0;
};

}  // namespace weft
