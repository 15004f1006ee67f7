/// Collects sealed packets of one destination and equal size, and sends them with one call.
#pragma once

#include <memory>

#include "worker/context.h"

namespace weft {

/// Packets to one destination, all of one size but the last, which may be shorter. That is what UDP_SEGMENT
/// takes, and it makes a send cost a twentieth.
class SendBatch {
 public:
  explicit SendBatch(WorkerContext& context);

  /// Room for the next sealed packet of `size` bytes to a reachable `peer`, which must stay where it is until
  /// `flush`. What the batch holds may be sent first. The caller fills the room before the next call of
  /// anything.
  Bytes claim(const PeerView& peer, std::size_t size) noexcept;

  /// Sends what is there; at the latest at the end of a poll.
  void flush() noexcept;

  /// Our own short id, which relayed packets carry.
  void set_self(PeerId self) noexcept { self_ = self; }

 private:
  void write_relay_headers() noexcept;

  WorkerContext& context_;
  std::unique_ptr<std::byte[]> slab_;
  const PeerView* peer_ = nullptr;
  std::size_t stride_ = 0;  // relay header and packet
  std::size_t used_ = 0;    // bytes of the slab
  std::size_t packets_ = 0;
  PeerId self_ = 0;  // our own id, for relay headers
};

}  // namespace weft
