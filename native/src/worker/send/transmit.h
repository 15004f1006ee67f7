/// Sends datagrams to a peer by the best way that works.
#pragma once

#include "worker/context.h"

namespace weft {

/// `payload` holds `packets` datagrams of `segment_size` bytes, the last may be shorter. Counts them, falls
/// back when UDP_SEGMENT fails, and reports what is too big for the interface.
void transmit(WorkerContext& context, const PeerView& peer, ConstBytes payload, std::size_t segment_size,
              std::size_t packets) noexcept;

}  // namespace weft
