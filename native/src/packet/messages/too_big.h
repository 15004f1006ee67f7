/// Tells a sender that its packet does not fit: ICMPv4 "fragmentation needed" (RFC 792, 1191) or ICMPv6
/// "packet too big" (RFC 4443).
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "packet/parse.h"

namespace weft {

/// Largest frame that `build_too_big` makes: Ethernet with two VLAN tags, and the IPv6 minimum MTU.
inline constexpr std::size_t max_too_big_size = ethernet_header_size + 8 + 1280;

/// True if the frame's IP packet must not be fragmented on its way (IPv4 with DF, IPv6).
bool must_not_fragment(ConstBytes frame, const Layers& layers) noexcept;

/// Builds the Ethernet frame of the answer into `out` (`max_too_big_size` bytes) and returns its size. It
/// seems to come from the destination, for an Ethernet segment has no address of its own. Returns 0 where an
/// answer is not allowed: not IP, to or from a group or unspecified address, an ICMP error, a later fragment.
/// IPv6 is never told less than 1280. Limiting the rate is the caller's.
std::size_t build_too_big(ConstBytes frame, const Layers& layers, std::uint32_t mtu, Bytes out) noexcept;

}  // namespace weft
