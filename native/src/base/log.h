/// Lines for people, on stderr. Never called per packet.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"

namespace weft {

enum class Level : std::uint8_t { info, warning, error };

/// The most that a log file holds, in bytes. Whoever started us may be gone, so we keep to it ourselves.
inline constexpr std::int64_t max_log_size = 1 << 20;

/// Writes one line: UTC time, level, text. A file that grew beyond its limit keeps its newest lines. For the
/// control thread only.
void log_line(Level level, const std::string& text);

/// For events that a broken network can repeat without end: at most `burst` lines in `interval`; the first
/// line of the next interval says how many were left out. One for each kind of event.
class RateLimitedLog {
 public:
  static constexpr unsigned burst = 10;
  static constexpr Micros interval = 10 * microseconds_per_second;

  void operator()(Level level, const std::string& text);

 private:
  Micros since_ = 0;
  unsigned written_ = 0;
  unsigned left_out_ = 0;
};

}  // namespace weft
