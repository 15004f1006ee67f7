#include "path/transport.h"

#include "path/candidates.h"

namespace weft {
namespace {

// Some probes of the slowest pace may be lost.
constexpr Micros answer_holds = 3 * Candidate::last_pause;

}  // namespace

Way Transport::wanted(bool direct) const noexcept {
  if (relayed_) return Way::relay;
  return stream_ && !direct ? Way::stream : Way::direct;
}

void Transport::take(Way way, bool direct, Micros now) noexcept {
  direct_ = way != Way::direct && direct;
  direct_answers_ = direct_ ? answers_needed : 0;
  endpoint_answered_ = direct_ ? now : 0;
  way_ = way;
}

bool Transport::answered_lately(Micros now) const noexcept {
  return endpoint_answered_ != 0 && now < answer_holds_until();
}

Micros Transport::answer_holds_until() const noexcept {
  return endpoint_answered_ + answer_holds;
}

bool Transport::answered(Micros now) noexcept {
  if (direct_answers_ == 0) direct_row_since_ = now;
  endpoint_answered_ = now;
  if (direct_ || ++direct_answers_ < answers_needed) return false;
  direct_ = true;
  return true;
}

void Transport::missed(Micros sent) noexcept {
  if (sent > direct_row_since_ && !direct_) direct_answers_ = 0;
}

bool Transport::fall_silent() noexcept {
  direct_answers_ = 0;
  const bool news = direct_;
  direct_ = false;
  return news;
}

}  // namespace weft
