#include "path/path_mtu.h"

#include <algorithm>
#include <array>

namespace weft {
namespace {

// MTUs that wires and tunnels really have; probed at once, so that the usual answer takes one round trip.
// Largest first: the first answer is then the best.
constexpr std::array<std::size_t, 13> ladder{9000, 8951, 1500, 1492, 1480, 1472,         1460,
                                             1450, 1440, 1420, 1400, 1380, PathMtu::base};

constexpr Micros never = ~Micros{0};

}  // namespace

void PathMtu::start(Micros now) {
  running_ = true;
  assumed_ = base;
  low_ = floor;
  next_check_ = now + check_interval;
  begin_search(ceiling + 1, now);
}

void PathMtu::stop() noexcept {
  running_ = false;
  in_flight_.clear();
  deadline_ = never;
}

void PathMtu::begin_search(std::size_t upper, Micros now) {
  high_ = upper;
  checking_ = false;
  in_flight_.clear();
  for (const std::size_t size : ladder)
    if (size > low_ && size < high_) put(size);
  next_search_ = now + search_interval;
  if (in_flight_.empty()) narrow(now);
  deadline_ = now;
}

void PathMtu::put(std::size_t size) {
  in_flight_.push_back({size, 0, 0});
}

// Between what passed and what did not, the middle is the next to try.
void PathMtu::narrow(Micros now) {
  if (low_ + 1 >= high_) return;
  put(low_ + (high_ - low_) / 2);
  deadline_ = now;
}

std::vector<std::size_t> PathMtu::poll(Micros now, Micros timeout, bool busy) {
  std::vector<std::size_t> due;
  if (!running_) return due;
  if (in_flight_.empty() && now >= next_search_) begin_search(ceiling + 1, now);
  if (in_flight_.empty() && now >= next_check_) {
    next_check_ = now + check_interval;
    if (busy && low_ > floor) {
      checking_ = true;
      put(low_);
    }
  }
  std::size_t failed = 0;
  for (InFlight& probe : in_flight_) {
    if (probe.tries > 0 && now < probe.sent + timeout) continue;
    if (probe.tries == (probe.size == base ? base_tries : tries)) {
      failed = probe.size;  // the list falls in size: the last is the smallest
      continue;
    }
    ++probe.tries;
    probe.sent = now;
    due.push_back(probe.size);
  }
  if (failed != 0) fail(failed, now);
  deadline_ = std::min(next_search_, next_check_);
  for (const InFlight& probe : in_flight_)
    deadline_ = std::min(deadline_, probe.tries == 0 ? now : probe.sent + timeout);
  return due;
}

void PathMtu::answered(std::size_t size, Micros now) {
  if (!running_) return;
  if (checking_ && size == low_) {
    in_flight_.clear();
    checking_ = false;
    return;
  }
  if (size <= low_ || size >= high_) return;
  low_ = size;
  std::erase_if(in_flight_, [&](const InFlight& probe) { return probe.size <= low_; });
  if (in_flight_.empty()) narrow(now);
}

void PathMtu::refused(std::size_t size, Micros now) {
  if (running_) fail(size, now);
}

void PathMtu::fail(std::size_t size, Micros now) {
  if (size <= floor) return;  // nothing smaller to fall back to
  if (size <= base) assumed_ = floor;
  if (size <= low_) {
    // A size that passed before does not any more: the path changed.
    low_ = floor;
    begin_search(size, now);
    return;
  }
  high_ = std::min(high_, size);
  std::erase_if(in_flight_, [&](const InFlight& probe) { return probe.size >= high_; });
  if (in_flight_.empty()) narrow(now);
}

}  // namespace weft
