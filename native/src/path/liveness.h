/// Whether whoever a peer's packets go to still answers, and when to ask again.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "path/estimate.h"

namespace weft {

/// Pure: time and what was sent or answered come in; deadlines and judgements come out.
class Liveness {
 public:
  static constexpr Micros default_keepalive = 1000 * microseconds_per_millisecond;
  /// Between probes while packets are sent: what was cut under traffic is to be noticed in half a second.
  static constexpr Micros busy_keepalive = 200 * microseconds_per_millisecond;
  /// Between probes once an answer is overdue.
  static constexpr Micros recheck_pause = 50 * microseconds_per_millisecond;
  /// So many probes go unanswered, for so long at least, before a path is down.
  static constexpr unsigned missed_limit = 8;
  static constexpr Micros min_patience = 400 * microseconds_per_millisecond;
  /// So many go unanswered before another address that answers is taken instead: one is lost now and then.
  static constexpr unsigned misses_before_change = 4;

  void set_keepalive(Micros keepalive) noexcept { keepalive_ = keepalive; }
  void set_up(bool up) noexcept { up_ = up; }
  /// Packets go elsewhere from now on: what was measured says nothing about it, and a probe is due.
  void reset(Micros now) noexcept;
  void forget_loss() noexcept { loss_ = Loss{}; }
  /// `sent` is a count of packets sent to the peer that only grows.
  void note_traffic(std::uint64_t sent, Micros now) noexcept;

  /// True if a keepalive is due.
  [[nodiscard]] bool due(Micros now) noexcept;
  /// A keepalive is due now.
  void probe_now(Micros now) noexcept { keepalive_at_ = now; }
  /// One is wanted at that time already.
  void bring_forward(Micros to) noexcept;
  /// A keepalive was sent.
  void sent(Micros now) noexcept;
  /// It was answered; `keepalive`: it counts for the loss, too.
  void answered(Micros rtt, Micros sent, bool keepalive) noexcept;
  /// Something else was answered, which proves that the path works.
  void proved() noexcept;
  /// A keepalive counts as lost.
  void lost() noexcept { loss_.add(true); }

  [[nodiscard]] bool up() const noexcept { return up_; }
  [[nodiscard]] bool busy(Micros now) const noexcept { return now < busy_until_; }
  /// A keepalive was sent and nothing was answered since.
  [[nodiscard]] bool waiting() const noexcept { return unanswered_since_ != 0; }
  [[nodiscard]] Micros waiting_since() const noexcept { return unanswered_since_; }
  /// An answer is overdue: long before the path is down, other addresses are worth a try.
  [[nodiscard]] bool suspicious(Micros now) const noexcept;
  /// So much goes unanswered that another address is to be taken, if there is one that answers.
  [[nodiscard]] bool failing(Micros now) const noexcept;
  /// So much goes unanswered that the path is down.
  [[nodiscard]] bool dead(Micros now) const noexcept;
  /// How long the answer to any probe may take.
  [[nodiscard]] Micros answer_timeout() const noexcept;
  /// After so long a probe counts as lost.
  [[nodiscard]] Micros loss_timeout() const noexcept;
  /// When the next keepalive is due.
  [[nodiscard]] Micros deadline() const noexcept { return keepalive_at_; }
  [[nodiscard]] const RoundTrip& rtt() const noexcept { return rtt_; }
  [[nodiscard]] double loss() const noexcept { return loss_.share(); }

 private:
  [[nodiscard]] Micros overdue() const noexcept;
  [[nodiscard]] Micros patience() const noexcept;
  [[nodiscard]] Micros pause(Micros now) const noexcept;

  bool up_ = false;
  Micros keepalive_ = default_keepalive;
  RoundTrip rtt_;
  Loss loss_;
  Micros keepalive_at_ = 0;
  Micros last_keepalive_ = 0;
  Micros busy_until_ = 0;
  Micros unanswered_since_ = 0;  // 0: the last keepalive was answered, or none was sent
  unsigned unanswered_ = 0;      // probes since then
  std::uint64_t last_sent_ = 0;
};

}  // namespace weft
