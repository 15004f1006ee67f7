/// Where and how urgently a worker's thread runs.
#pragma once

namespace weft {

/// Gives the calling thread, and those that it starts, precedence over ordinary processes, where we are
/// privileged enough.
void take_precedence() noexcept;

/// Gives the calling thread the CPU of its number when there is one for each of `workers`, so that its caches
/// stay warm. What the system refuses stays as it was.
void place_worker(unsigned number, unsigned workers) noexcept;

}  // namespace weft
