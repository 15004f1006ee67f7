/// Relayed packets: docs/protocol.md 2.3.
#pragma once

#include "wire/header.h"
#include "worker/context.h"

namespace weft {

/// Forwards relayed packets in the memory that they were received in.
class Relay {
 public:
  explicit Relay(WorkerContext& context) noexcept : context_(context) {}

  /// Handles a datagram of type 2. Returns the sealed packet inside if it is for this router. Otherwise the
  /// datagram is forwarded, at the latest by `flush`, or dropped, and the result is empty. Datagrams that are
  /// contiguous in memory (on a stream, with only their length prefixes between them) and of equal size,
  /// except for a shorter last one, are sent with one call.
  Bytes handle(const PollContext& poll, Bytes datagram) noexcept;

  /// Sends the datagrams that are held. Must be called before their memory is reused.
  void flush() noexcept;

 private:
  void forward(const PeerView& next, Bytes datagram) noexcept;

  WorkerContext& context_;
  const PeerView* next_ = nullptr;
  Bytes run_;
  const std::byte* came_to_ = nullptr;  // end of the last datagram of the run where it was received
  std::size_t segment_size_ = 0;
  std::size_t packets_ = 0;
};

}  // namespace weft
