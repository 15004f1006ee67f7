/// The DNS server for containers, which every host has at the same MAC and the same addresses.
#pragma once

#include "packet/address/ip_address.h"
#include "packet/messages/neighbour.h"
#include "packet/parse.h"

namespace weft {

/// Its frames never leave a host, so a frame of this source in a tunnel, in either direction, is forged.
inline constexpr MacAddress resolver_mac{std::byte{0x02}, std::byte{0x77}, std::byte{0x65},
                                         std::byte{0x66}, std::byte{0x74}, std::byte{0x35}};

/// 169.254.53.53 and fe80::53.
inline bool is_resolver(const IpAddress& address) noexcept {
  const std::uint64_t high = load64(address.bytes().data());
  const std::uint64_t low = load64(&address.bytes()[8]);
  return (high == 0 && low == 0xffff'a9fe'3535) || (high == 0xfe80'0000'0000'0000 && low == 0x53);
}

/// Whether a frame of at least an Ethernet header claims one of these addresses. Looks into those only that
/// can claim any.
inline bool claims_resolver(ConstBytes frame) noexcept {
  const std::uint16_t ethertype = load16(&frame[12]);
  const bool is_arp = ethertype == ethertype_arp;
  const bool may_be_icmp = ethertype == ethertype_ipv6 && frame.size() > 20 &&
                           frame[20] != std::byte{protocol_tcp} && frame[20] != std::byte{protocol_udp};
  if (!is_arp && !may_be_icmp) return false;
  const NeighbourClaims claims = neighbour_claims(frame, parse_frame(frame));
  return std::ranges::any_of(claims.all(), is_resolver);
}

}  // namespace weft
