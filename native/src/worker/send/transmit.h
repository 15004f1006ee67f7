/// Sends datagrams to a peer over UDP or a stream.
#pragma once

#include "worker/context.h"

namespace weft {

/// Over UDP they leave from source port `port` (io/source_ports.h).
/// `payload` holds `packets` datagrams of `segment_size` bytes, of which the last may be shorter. Counts
/// them, falls back to single sends when UDP_SEGMENT fails, and reports datagrams that are too big for the
/// interface.
void transmit(WorkerContext& context, const PeerView& peer, unsigned port, ConstBytes payload,
              std::size_t segment_size, std::size_t packets) noexcept;

}  // namespace weft
