#include "switch/loop_guard.h"

#include <algorithm>

namespace weft {

bool LoopGuard::heard(PeerId self, PeerId from, const LoopNumber& number, Micros now) noexcept {
  auto* const probe = std::find_if(sent_.begin(), sent_.end(), [&](const Sent& sent) {
    return now < sent.until && sent.number == number;
  });
  if (probe == sent_.end()) return false;
  // In a loop that is full a probe that circles is the only one that gets through.
  if (from == self) probe->until = now + fresh;
  const bool mutes = from <= self;
  // While somebody silences us, what others say does not prolong it.
  if (muted_ && !mutes) return false;
  const bool news = !with_ || (mutes && !muted_);
  with_ = news ? from : with_;
  muted_ = mutes;
  until_ = now + hold;
  if (from == self) next_probe_ = until_;
  return news;
}

bool LoopGuard::over(Micros now) noexcept {
  if (!with_ || now < until_) return false;
  with_.reset();
  muted_ = false;
  return true;
}

void LoopGuard::sent(const LoopNumber& number, Micros now) noexcept {
  next_probe_ = now + interval;
  sent_[next_sent_] = {number, now + fresh};
  next_sent_ = (next_sent_ + 1) % sent_.size();
}

}  // namespace weft
