/// Puts pieces of frame contents together again: docs/protocol.md 2.2, kind 1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "wire/header.h"

namespace weft {

/// What a reassembler threw away; the caller adds it to its counters.
struct ReassemblyDrops {
  std::uint64_t expired = 0;       ///< unfinished frames older than a second
  std::uint64_t evicted = 0;       ///< unfinished frames that made room for newer ones
  std::uint64_t inconsistent = 0;  ///< fragments that contradict what came before, or come twice
};

/// The unfinished frames of one key and lane. Not synchronised; its owner locks. Bounded: 16 frames of at
/// most `max_frame_size` + 8 bytes; a frame's memory grows with what really came and is freed when it is
/// done.
class Reassembler {
 public:
  static constexpr std::size_t max_unfinished = 16;
  static constexpr std::uint64_t lifetime_ms = 1000;

  /// Adds one piece. When it completes its frame, copies the content (inner header and frame) to `out` and
  /// returns its size; otherwise 0. `out` has at least `max_frame_size + inner_header_size` bytes.
  std::size_t add(const InnerFragment& fragment, ConstBytes piece, std::uint64_t now_ms, Bytes out,
                  ReassemblyDrops& drops);

  /// Drops what is too old.
  void expire(std::uint64_t now_ms, ReassemblyDrops& drops) noexcept;

  [[nodiscard]] std::size_t unfinished() const noexcept { return frames_.size(); }

 private:
  struct Unfinished {
    std::uint32_t id;
    std::uint8_t count;
    std::uint64_t since_ms;
    std::size_t size = 0;                        // of the pieces that are here
    unsigned arrived = 0;                        // how many they are
    std::vector<std::vector<std::byte>> pieces;  // by index; empty: not here yet
  };

  /// The frame that the fragment belongs to, or null if it cannot be one of it.
  Unfinished* frame_of(const InnerFragment& fragment, std::uint64_t now_ms, ReassemblyDrops& drops);

  std::vector<Unfinished> frames_;  // the oldest first
};

}  // namespace weft
