/// Anti-replay window of one lane, RFC 6479: a ring of words that slides whole words at a time.
#pragma once

#include <array>
#include <cstdint>

namespace weft {

enum class ReplayVerdict : std::uint8_t {
  replayed,  ///< seen before, or too old to know
  accepted,  ///< new, but a later one came first
  newest,    ///< the highest counter yet
};

/// Not synchronised; its owner locks.
class ReplayWindow {
 public:
  /// Counters behind the highest one that are still told apart.
  static constexpr std::uint64_t size = 8192;

  /// Call only for a packet whose tag was right: remembers the counter.
  ReplayVerdict check_and_set(std::uint64_t counter) noexcept;

 private:
  static constexpr std::uint64_t bits = 64;
  // One word more than the window, because the word of the highest counter is only partly used.
  static constexpr std::uint64_t words = size / bits + 1;

  std::uint64_t next_ = 0;  // highest counter + 1
  std::array<std::uint64_t, words> seen_{};
};

}  // namespace weft
