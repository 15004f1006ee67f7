#include "io/log.h"

#include <unistd.h>

#include <array>
#include <ctime>

namespace weft {
namespace {

const char* level_name(Level level) {
  switch (level) {
    case Level::warning:
      return "warning";
    case Level::error:
      return "error";
    case Level::info:
      break;
  }
  return "info";
}

}  // namespace

void log_line(Level level, const std::string& text) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  tm utc{};
  ::gmtime_r(&now.tv_sec, &utc);
  std::array<char, 32> stamp{};
  const std::size_t length = std::strftime(stamp.data(), stamp.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  const std::string millis = std::to_string(1000 + now.tv_nsec / 1'000'000).substr(1);
  const std::string line =
      std::string(stamp.data(), length) + "." + millis + "Z " + level_name(level) + " " + text + "\n";
  // One write a line, so that lines of several threads do not mix. There is nobody to tell if it fails.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

void RateLimitedLog::operator()(Level level, const std::string& text) {
  const Micros now = monotonic_now();
  if (now - since_ >= interval) {
    if (left_out_ > 0) log_line(level, "(" + std::to_string(left_out_) + " similar lines left out)");
    since_ = now;
    written_ = left_out_ = 0;
  }
  if (written_ == burst) {
    ++left_out_;
    return;
  }
  ++written_;
  log_line(level, text);
}

}  // namespace weft
