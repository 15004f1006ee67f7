/// Lines for people, on stderr. Never called per packet.
#pragma once

#include <cstdint>
#include <string>

#include "io/clock.h"

namespace weft {

enum class Level : std::uint8_t { info, warning, error };

/// Writes one line: UTC time, level, text.
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
