#include "base/log.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <ctime>

namespace weft {
namespace {

// What a log that is cut keeps of its end.
constexpr std::int64_t kept_log_size = max_log_size / 4;

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

// The file may hold what others wrote to it, too. Appended to, it goes on at its new end.
void bound_log(int fd) {
  struct stat found {};
  if (::fstat(fd, &found) != 0 || !S_ISREG(found.st_mode) || found.st_size <= max_log_size) return;
  std::string kept(kept_log_size, '\0');
  const ssize_t size = ::pread(fd, kept.data(), kept.size(), found.st_size - kept_log_size);
  kept.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  // It begins within a line, or is one without end.
  const std::size_t line_end = kept.find('\n');
  kept.erase(0, line_end == std::string::npos ? kept.size() : line_end + 1);
  if (::ftruncate(fd, 0) != 0) return;
  kept.insert(0, "(older lines were left out)\n");
  [[maybe_unused]] const ssize_t written = ::write(fd, kept.data(), kept.size());
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
  bound_log(STDERR_FILENO);
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
