/// Puts pieces of frame contents together again: docs/protocol.md 2.2, kind 1.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "wire/bytes.h"
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

  [[nodiscard]] std::size_t unfinished() const noexcept;

 private:
  struct Unfinished {
    std::uint32_t id = 0;
    std::uint8_t count = 0;     // 0: the slot is free
    std::uint64_t arrived = 0;  // bit i: piece i is here
    std::uint64_t since_ms = 0;
    std::array<std::vector<std::byte>, max_fragment_count> pieces;
  };

  Unfinished& slot_for(const InnerFragment& fragment, std::uint64_t now_ms, ReassemblyDrops& drops);

  std::vector<std::unique_ptr<Unfinished>> frames_;
};

}  // namespace weft
