/// Whether the kernel's datapath to a peer carries full frames both ways, judged by probes and their answers.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/clock.h"
#include "path/estimate.h"

namespace weft {

/// Pure: time and answers come in; probes, deadlines and a judgement come out.
class KernelPath {
 public:
  /// Between probes while it is up, and the longest that it stays up without an answer.
  static constexpr Micros up_pause = 100 * microseconds_per_millisecond;
  static constexpr Micros patience = 500 * microseconds_per_millisecond;
  /// Between probes while it is down: often at first, because what was just made or cut may soon work.
  static constexpr Micros eager_pause = 200 * microseconds_per_millisecond;
  static constexpr Micros eager_for = 3 * microseconds_per_second;
  static constexpr Micros idle_pause = 2 * microseconds_per_second;
  /// So many probes in a row are answered before it is up.
  static constexpr unsigned answers_to_rise = 3;
  /// A poll that comes later than this was held up, and so was the reading of answers.
  static constexpr Micros tolerated_delay = 100 * microseconds_per_millisecond;

  /// `first_number` is that of the first probe: random, so that it takes no answer to a former path's probe.
  KernelPath(std::uint32_t first_number, Micros now) noexcept : next_number_(first_number) { hasten(now); }

  /// Notices silence. True if the path has just gone down because of it.
  [[nodiscard]] bool poll(Micros now) noexcept;
  /// True if a probe is due.
  [[nodiscard]] bool due(Micros now) const noexcept { return now >= next_probe_; }
  /// A probe leaves; returns its number. `random` spreads the probes of many paths.
  std::uint32_t probe(std::uint32_t random, Micros now) noexcept;
  /// Probe `number` was answered. True if the path has just come up.
  [[nodiscard]] bool answered(std::uint32_t number, Micros now) noexcept;
  /// No probe can leave. True if the path was up.
  [[nodiscard]] bool fail(Micros now) noexcept;
  /// What the probes go through is another than before: a probe is due, and often for a while. It may be up.
  void hasten(Micros now) noexcept;
  /// True if one more message that claims to be of this path may be opened; those of strangers cost no more.
  [[nodiscard]] bool may_open(Micros now) noexcept;

  /// When `poll` or a probe is due.
  [[nodiscard]] Micros deadline() const noexcept {
    return up_ ? std::min(next_probe_, answer_by_) : next_probe_;
  }
  [[nodiscard]] bool up() const noexcept { return up_; }
  [[nodiscard]] const RoundTrip& rtt() const noexcept { return rtt_; }
  [[nodiscard]] std::uint64_t probes() const noexcept { return probes_; }
  [[nodiscard]] std::uint64_t answers() const noexcept { return answers_; }

 private:
  struct Sent {
    std::uint32_t number = 0;
    Micros at = 0;  // 0: none, or answered
  };

  // Those of longer than `patience` ago are overwritten.
  std::array<Sent, 8> sent_{};
  std::uint32_t next_number_;
  std::uint32_t last_answered_ = 0;
  unsigned row_ = 0;  // probes answered one after the other
  bool up_ = false;
  Micros next_probe_ = 0;
  Micros answer_by_ = 0;  // while up
  Micros eager_until_ = 0;
  Micros refilled_ = 0;
  std::uint64_t allowance_ = 0;  // messages that may be opened, in millionths
  RoundTrip rtt_;
  std::uint64_t probes_ = 0;
  std::uint64_t answers_ = 0;
};

}  // namespace weft
