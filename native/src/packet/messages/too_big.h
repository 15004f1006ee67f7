/// Tells a sender that its packet is too big: ICMPv4 "fragmentation needed" (RFC 792, 1191) or ICMPv6 "packet
/// too big" (RFC 4443).
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

/// Builds the Ethernet frame of the answer into `out` (`max_too_big_size` bytes) and returns its size. Its
/// source is the destination of the refused packet, because an Ethernet segment has no address of its own.
/// Returns 0 where no answer is allowed: to what is not IP, has a group or unspecified address, is an ICMP
/// error, or is a fragment other than the first. An MTU below 1280 is never reported for IPv6. The caller
/// must limit the rate.
std::size_t build_too_big(ConstBytes frame, const Layers& layers, std::uint32_t mtu, Bytes out) noexcept;

}  // namespace weft
