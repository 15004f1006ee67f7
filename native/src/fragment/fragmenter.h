/// Cuts a frame content that does not fit its path into pieces: docs/protocol.md 2.2, kind 1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "wire/header.h"

namespace weft {

/// A plan for cutting one content (inner frame header and frame). Holds a view of it, no copy.
class Fragmenter {
 public:
  /// `max_piece` bytes at most in a piece (fragment header excluded). Nothing if the content needs no cutting
  /// or more than `max_fragment_count` pieces. The pieces are balanced: their sizes differ little.
  static std::optional<Fragmenter> plan(ConstBytes content, std::size_t max_piece, std::uint32_t id) noexcept;

  [[nodiscard]] unsigned count() const noexcept { return count_; }
  /// Bytes that `write(index, …)` writes: 8 and the piece.
  [[nodiscard]] std::size_t size(unsigned index) const noexcept;
  /// Writes fragment header and piece; `out` has at least `size(index)` bytes.
  void write(unsigned index, Bytes out) const noexcept;

 private:
  Fragmenter(ConstBytes content, std::size_t piece, unsigned count, std::uint32_t id) noexcept
      : content_(content), piece_(piece), count_(count), id_(id) {}

  ConstBytes content_;
  std::size_t piece_;
  unsigned count_;
  std::uint32_t id_;
};

}  // namespace weft
