/// Lowers the MSS option of TCP SYNs so that segments fit the overlay.
#pragma once

#include <cstddef>

#include "base/bytes.h"
#include "packet/parse.h"

namespace weft {

/// If `frame` is a TCP SYN whose MSS does not fit IP packets of `mtu` bytes, lowers it and repairs the
/// checksum (unless it is `partial`). True if it changed.
bool clamp_mss(Bytes frame, const Layers& layers, std::size_t mtu, bool partial) noexcept;

}  // namespace weft
