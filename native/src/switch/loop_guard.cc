#include "switch/loop_guard.h"

namespace weft {

bool LoopGuard::heard(PeerId self, PeerId from, Micros now) noexcept {
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

bool LoopGuard::due(Micros now) noexcept {
  if (now < next_probe_) return false;
  next_probe_ = now + interval;
  return true;
}

}  // namespace weft
