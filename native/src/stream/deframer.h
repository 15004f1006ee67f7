/// Finds the packets in a byte stream: docs/protocol.md 2.6.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include "base/bytes.h"

namespace weft {

/// Bytes in front of each packet: its length.
inline constexpr std::size_t stream_prefix = 2;
/// Largest packet that a length can tell.
inline constexpr std::size_t max_stream_packet = 65'535;

/// Takes bytes as they come and gives packets in place. Not synchronised.
class Deframer {
 public:
  /// Large enough that the longest packet, whole but for its last byte, leaves room for much more.
  static constexpr std::size_t capacity = 256 << 10;

  Deframer();

  /// Where the next bytes of the stream go; never empty. Packets that `next` gave are no longer valid.
  Bytes room() noexcept;
  /// So many bytes were put there.
  void filled(std::size_t size) noexcept { end_ += size; }

  /// The next whole packet, to do with as one likes; nothing when more bytes are needed, or when the stream
  /// is `broken`.
  std::optional<Bytes> next() noexcept;
  /// A length was too short for any packet: nothing that follows means anything.
  [[nodiscard]] bool broken() const noexcept { return broken_; }

 private:
  std::unique_ptr<std::byte[]> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool broken_ = false;
};

}  // namespace weft
