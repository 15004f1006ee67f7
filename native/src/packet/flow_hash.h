/// Tells the flows inside the tunnel apart.
#pragma once

#include <cstdint>

#include "packet/parse.h"

namespace weft {

/// Returns the same number for all packets of one flow, in one direction: of TCP and UDP by addresses and
/// ports, of other IP packets and of all fragments by addresses; 0 for what is not IP. All 32 bits are mixed.
std::uint32_t flow_hash(ConstBytes frame, const Layers& layers) noexcept;

}  // namespace weft
