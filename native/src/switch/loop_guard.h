/// What a router does about a loop that the user made of a segment: docs/protocol.md 2.8.
#pragma once

#include <array>
#include <optional>

#include "base/clock.h"
#include "packet/messages/loop_probe.h"
#include "wire/header.h"

namespace weft {

/// Pure. One a segment: numbers for our probes come in, and those of probes that left our side of the segment
/// by another way than the tunnel; whether to go on flooding comes out. Of two routers that are joined beside
/// the tunnel the one with the lower id goes on; one whose own probe comes back has a loop on its own side,
/// and stops. Only our own probes count, by their numbers: nobody can make up a loop who did not hear them.
class LoopGuard {
 public:
  static constexpr Micros interval = microseconds_per_second;
  /// A number counts for so long after it was sent, or has last come back.
  static constexpr Micros fresh = 3 * microseconds_per_second;
  /// A loop is over when nothing was seen of it for so long.
  static constexpr Micros hold = 5 * microseconds_per_second;

  /// Our probe came back to us, or to router `from`, which is another one. True if this is news: a loop, or
  /// one that silences us.
  bool heard(PeerId self, PeerId from, const LoopNumber& number, Micros now) noexcept;
  /// True once a loop is over, once.
  bool over(Micros now) noexcept;
  /// True if a probe is to be sent now. A probe that circles already is enough.
  [[nodiscard]] bool due(Micros now) const noexcept { return now >= next_probe_; }
  /// A probe of that number, which nobody can guess, is sent now.
  void sent(const LoopNumber& number, Micros now) noexcept;

  [[nodiscard]] bool muted() const noexcept { return muted_; }
  /// Whose side our probe came to; nobody while there is no loop.
  [[nodiscard]] std::optional<PeerId> with() const noexcept { return with_; }

 private:
  struct Sent {
    LoopNumber number{};
    Micros until = 0;
  };

  std::array<Sent, fresh / interval + 1> sent_{};
  std::size_t next_sent_ = 0;
  std::optional<PeerId> with_;
  bool muted_ = false;
  Micros until_ = 0;
  Micros next_probe_ = 0;
};

}  // namespace weft
