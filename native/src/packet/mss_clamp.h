/// Lowers the MSS option of TCP SYNs so that segments fit the overlay.
#pragma once

#include <cstddef>

#include "base/bytes.h"
#include "packet/parse.h"

namespace weft {

/// If `frame` is a TCP SYN with an MSS too big for IP packets of `mtu` bytes, lowers the MSS, and updates the
/// checksum unless that is `partial`. Returns true if the frame was changed.
bool clamp_mss(Bytes frame, const Layers& layers, std::size_t mtu, bool partial) noexcept;

}  // namespace weft
