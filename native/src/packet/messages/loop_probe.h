/// A frame that a router puts on its side of a segment, to see whether it comes back by another way:
/// docs/protocol.md 2.8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "packet/parse.h"
#include "wire/header.h"

namespace weft {

inline constexpr std::size_t loop_probe_size = 60;

struct LoopProbe {
  PeerId router = 0;
  std::uint16_t network = 0;
  bool operator==(const LoopProbe&) const = default;
};

/// What a router's own frames come from.
MacAddress router_mac(PeerId router) noexcept;

/// Writes the whole frame; `to` has `loop_probe_size` bytes.
void encode(const LoopProbe& probe, Bytes to) noexcept;
/// Nothing for any other frame.
std::optional<LoopProbe> decode_loop_probe(ConstBytes frame) noexcept;

}  // namespace weft
