/// The one clock of the forwarder. The hot path reads it once a wake-up, never per packet.
#pragma once

#include <cstdint>
#include <ctime>

namespace weft {

/// Microseconds of the monotonic clock.
using Micros = std::uint64_t;

inline constexpr Micros microseconds_per_millisecond = 1000;
inline constexpr Micros microseconds_per_second = 1'000'000;

inline Micros monotonic_now() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<Micros>(now.tv_sec) * microseconds_per_second + static_cast<Micros>(now.tv_nsec) / 1000;
}

}  // namespace weft
