/// Relayed packets: docs/protocol.md 2.3.
#pragma once

#include "wire/header.h"
#include "worker/context.h"

namespace weft {

/// Passes packets on for others, in the memory that they came in.
class Relay {
 public:
  explicit Relay(WorkerContext& context) noexcept : context_(context) {}

  /// Takes a datagram of type 2. If it is for us, returns the sealed packet inside it; otherwise it is passed
  /// on (at the latest with `flush`) or dropped, and the result is empty. Datagrams that stand one behind the
  /// other in memory (on a stream with their lengths between them), of one size but for a shorter last one,
  /// leave with one call.
  Bytes handle(const PollContext& poll, Bytes datagram) noexcept;

  /// Sends what is held; before the memory is used for something else.
  void flush() noexcept;

 private:
  void forward(const PeerView& next, Bytes datagram) noexcept;

  WorkerContext& context_;
  const PeerView* next_ = nullptr;
  Bytes run_;
  const std::byte* came_to_ = nullptr;  // where the last datagram of the run ended as it came
  std::size_t segment_size_ = 0;
  std::size_t packets_ = 0;
};

}  // namespace weft
