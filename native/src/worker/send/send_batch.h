/// Collects sealed packets of one destination and equal size, and sends them with one call.
#pragma once

#include <memory>

#include "worker/context.h"

namespace weft {

/// Packets to one destination from one source port, all of one size except the last, which may be shorter.
/// That is what UDP_SEGMENT takes, and it makes sending a packet twenty times cheaper.
class SendBatch {
 public:
  explicit SendBatch(WorkerContext& context);

  /// Returns space for the next sealed packet of `size` bytes to `peer`, which must be reachable and must
  /// stay valid until `flush`; over UDP it leaves from source port `port`. The packets in the batch may be
  /// sent first. The caller must fill the space before it calls anything else.
  Bytes claim(const PeerView& peer, unsigned port, std::size_t size) noexcept;

  /// Sends the batch. Must be called at the end of a poll.
  void flush() noexcept;

  /// Sets this router's short id, which goes into relay headers.
  void set_self(PeerId self) noexcept { self_ = self; }

 private:
  void write_relay_headers() noexcept;

  WorkerContext& context_;
  std::unique_ptr<std::byte[]> slab_;
  const PeerView* peer_ = nullptr;
  unsigned port_ = 0;
  std::size_t stride_ = 0;  // size of a relay header and a packet
  std::size_t used_ = 0;    // bytes of the slab that are in use
  std::size_t packets_ = 0;
  PeerId self_ = 0;  // source in relay headers
};

}  // namespace weft
