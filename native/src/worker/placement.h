/// Where and how urgently a worker's thread runs.
#pragma once

#include <vector>

namespace weft {

/// Gives the calling thread, and those that it starts, precedence over ordinary processes, where we are
/// privileged enough.
void take_precedence() noexcept;

/// A CPU for each worker, where there is exactly one for each, so that its caches stay warm.
class Placement {
 public:
  Placement() = default;

  /// Looks at the other forwarders of this machine: what one router sends on a lane another receives on the
  /// same lane, and one CPU would have to do both. Where they cannot be seen they count as not there.
  [[nodiscard]] static Placement survey(unsigned workers);

  /// Names the calling thread for its lane and moves it. What the system refuses stays as it was.
  void place(unsigned lane) const noexcept;

 private:
  /// By lane. Empty if the scheduler is to choose: with CPUs to spare it finds idle ones, and with too few it
  /// must be free to share them.
  std::vector<unsigned> cpus_;
};

}  // namespace weft
