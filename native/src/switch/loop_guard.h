/// What a router does about a loop that the user made of a segment: docs/protocol.md 2.8.
#pragma once

#include <optional>

#include "base/clock.h"
#include "wire/header.h"

namespace weft {

/// Pure. One a segment: probes of routers that came to our side of it by another way than the tunnel come in;
/// whether to go on flooding comes out. Of two routers that are joined beside the tunnel the one with the
/// lower id goes on; one whose own probe comes back has a loop on its own side, and stops.
class LoopGuard {
 public:
  static constexpr Micros interval = microseconds_per_second;
  /// A loop is over when nothing was seen of it for so long.
  static constexpr Micros hold = 5 * microseconds_per_second;

  /// True if this is news: a loop, or one that silences us.
  bool heard(PeerId self, PeerId from, Micros now) noexcept;
  /// True once a loop is over, once.
  bool over(Micros now) noexcept;
  /// True if a probe is to be sent now. A probe that circles already is enough.
  bool due(Micros now) noexcept;

  [[nodiscard]] bool muted() const noexcept { return muted_; }
  /// Whose probe it was; nobody while there is no loop.
  [[nodiscard]] std::optional<PeerId> with() const noexcept { return with_; }

 private:
  std::optional<PeerId> with_;
  bool muted_ = false;
  Micros until_ = 0;
  Micros next_probe_ = 0;
};

}  // namespace weft
