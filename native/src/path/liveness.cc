#include "path/liveness.h"

#include <algorithm>

namespace weft {
namespace {

constexpr Micros min_overdue = 50 * microseconds_per_millisecond;
constexpr Micros min_answer_timeout = 200 * microseconds_per_millisecond;
constexpr Micros max_answer_timeout = microseconds_per_second;
// For so long after a packet a path counts as busy.
constexpr Micros busy_for = microseconds_per_second;

}  // namespace

void Liveness::reset(Micros now) noexcept {
  rtt_.reset();
  proved();
  keepalive_at_ = now;
}

void Liveness::note_traffic(std::uint64_t sent, Micros now) noexcept {
  if (sent != last_sent_) busy_until_ = now + busy_for;
  last_sent_ = sent;
}

bool Liveness::due(Micros now) noexcept {
  const Micros between = pause(now);
  // Traffic that begins, or an answer that is overdue, brings the next one forward.
  keepalive_at_ = std::min(keepalive_at_, last_keepalive_ + between);
  // On an idle path nobody waits for it to the millisecond: it goes along with what is done for other peers.
  const Micros early = up_ && between == keepalive_ ? between / 8 : 0;
  return now + early >= keepalive_at_;
}

void Liveness::bring_forward(Micros to) noexcept {
  keepalive_at_ = std::min(keepalive_at_, to);
}

void Liveness::sent(Micros now) noexcept {
  if (unanswered_since_ == 0) unanswered_since_ = now;
  ++unanswered_;
  last_keepalive_ = now;
  keepalive_at_ = now + pause(now);
}

void Liveness::answered(Micros rtt, Micros sent, bool keepalive) noexcept {
  rtt_.sample(rtt);
  proved();
  keepalive_at_ = std::max(keepalive_at_, sent + keepalive_);
  if (keepalive) loss_.add(false);
}

void Liveness::proved() noexcept {
  unanswered_since_ = 0;
  unanswered_ = 0;
}

bool Liveness::suspicious(Micros now) const noexcept {
  return unanswered_since_ != 0 && now >= unanswered_since_ + overdue();
}

// What was asked when the first answer became overdue has had the time to come.
bool Liveness::failing(Micros now) const noexcept {
  return unanswered_since_ != 0 && unanswered_ >= misses_before_change &&
         now >= unanswered_since_ + overdue() * 3 / 2;
}

bool Liveness::dead(Micros now) const noexcept {
  return up_ && unanswered_ >= missed_limit && now >= unanswered_since_ + patience();
}

Micros Liveness::overdue() const noexcept {
  if (!rtt_.known()) return min_answer_timeout;
  // A slow wire with a long queue may take seconds.
  const Micros most = std::max(max_answer_timeout, 2 * rtt_.smoothed());
  return std::clamp(2 * rtt_.smoothed() + 4 * rtt_.variance(), min_overdue, most);
}

Micros Liveness::answer_timeout() const noexcept {
  return rtt_.known() ? std::max(overdue(), min_answer_timeout) : min_answer_timeout * 2;
}

Micros Liveness::loss_timeout() const noexcept {
  return std::max(answer_timeout(), std::min(keepalive_, min_patience));
}

// A far peer, or one with a trembling wire, gets more time.
Micros Liveness::patience() const noexcept {
  return std::max({min_patience, overdue(), std::min(2 * overdue(), 3 * keepalive_)});
}

// A wire that is cut under traffic is to be noticed in half a second, and one that is healed as soon.
Micros Liveness::pause(Micros now) const noexcept {
  if (!up_) return std::clamp(2 * rtt_.smoothed(), keepalive_ / 4, keepalive_);
  // On a slow wire they would be what fills it.
  if (suspicious(now)) return std::max(recheck_pause, rtt_.smoothed() / 8);
  if (unanswered_since_ != 0) return std::min(unanswered_since_ + overdue() - last_keepalive_, keepalive_);
  return busy(now) ? std::min(busy_keepalive, keepalive_) : keepalive_;
}

}  // namespace weft
