/// Until when something may take.
#pragma once

#include <algorithm>
#include <chrono>

namespace weft::cni {

class Deadline {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Deadline(std::chrono::milliseconds from_now) : at_(Clock::now() + from_now) {}

  /// What is left, in milliseconds, as poll(2) takes it; 0 when it is over.
  [[nodiscard]] int left() const {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(at_ - Clock::now());
    return static_cast<int>(std::max<std::chrono::milliseconds::rep>(0, left.count()));
  }

 private:
  Clock::time_point at_;
};

}  // namespace weft::cni
