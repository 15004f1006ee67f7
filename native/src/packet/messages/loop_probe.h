/// A frame that a router sends into its own part of a segment to see whether it comes back over another path:
/// docs/protocol.md 2.8.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "packet/parse.h"
#include "wire/header.h"

namespace weft {

inline constexpr std::size_t loop_probe_size = 60;

/// Drawn anew for each probe: who has not heard it cannot know it.
using LoopNumber = std::array<std::byte, 16>;

struct LoopProbe {
  PeerId router = 0;
  std::uint16_t network = 0;
  LoopNumber number{};
  bool operator==(const LoopProbe&) const = default;
};

/// A frame to everybody on a segment by which a router shows a peer that such frames get there:
/// docs/protocol.md 2.10. To all but its version it looks like a loop probe, and so it ends where a loop
/// probe would.
struct Hail {
  PeerId router = 0;
  std::uint16_t network = 0;
  std::uint32_t number = 0;
  bool operator==(const Hail&) const = default;
};

/// The MAC address that a router's own frames come from.
MacAddress router_mac(PeerId router) noexcept;

/// Writes the whole frame. `to` has `loop_probe_size` bytes.
void encode(const LoopProbe& probe, Bytes to) noexcept;
void encode(const Hail& hail, Bytes to) noexcept;
/// True for probes of any version, which all end at the TAP where they come in.
bool is_loop_probe(ConstBytes frame) noexcept;
/// Returns nothing if the frame is not a loop probe of this version.
std::optional<LoopProbe> decode_loop_probe(ConstBytes frame) noexcept;
/// Returns nothing if the frame is not a hail.
std::optional<Hail> decode_hail(ConstBytes frame) noexcept;

}  // namespace weft
