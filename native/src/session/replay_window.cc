#include "session/replay_window.h"

#include <algorithm>

namespace weft {

ReplayVerdict ReplayWindow::check_and_set(std::uint64_t counter) noexcept {
  if (counter + size < next_) return ReplayVerdict::replayed;
  const std::uint64_t word = counter / bits;
  const bool newest = counter >= next_;
  if (newest) {
    // Words between the last one in use and this one are cleared for reuse.
    const std::uint64_t last = next_ == 0 ? 0 : (next_ - 1) / bits;
    const std::uint64_t fresh = std::min(word - last, words);
    for (std::uint64_t i = 1; i <= fresh; ++i)
      seen_[(last + i) % words] = 0;
    next_ = counter + 1;
  }
  std::uint64_t& seen = seen_[word % words];
  const std::uint64_t bit = std::uint64_t{1} << (counter % bits);
  if ((seen & bit) != 0) return ReplayVerdict::replayed;
  seen |= bit;
  return newest ? ReplayVerdict::newest : ReplayVerdict::accepted;
}

}  // namespace weft
