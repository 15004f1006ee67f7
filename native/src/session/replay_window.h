/// Anti-replay window of one lane, RFC 6479: a ring of words that slides whole words at a time.
#pragma once

#include <array>
#include <cstdint>

namespace weft {

enum class ReplayVerdict : std::uint8_t {
  replayed,  ///< seen before, or too old to know
  accepted,  ///< not seen before, but behind the highest counter
  newest,    ///< the highest counter so far
};

/// Not synchronised: the owner must lock.
class ReplayWindow {
 public:
  /// Size of the window: how far behind the highest counter others are still accepted.
  static constexpr std::uint64_t size = 8192;

  /// Checks the counter and marks it as seen. Must be called only after the packet's tag has been verified.
  ReplayVerdict check_and_set(std::uint64_t counter) noexcept;

 private:
  static constexpr std::uint64_t bits = 64;
  // One word more than the window, because the word of the highest counter is only partly used.
  static constexpr std::uint64_t words = size / bits + 1;

  std::uint64_t next_ = 0;  // highest counter + 1
  std::array<std::uint64_t, words> seen_{};
};

}  // namespace weft
