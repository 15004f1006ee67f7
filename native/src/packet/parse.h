/// Finds the layers of an untrusted Ethernet frame.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "wire/header.h"

namespace weft {

using MacAddress = std::array<std::byte, 6>;

inline constexpr std::uint16_t ethertype_ipv4 = 0x0800;
inline constexpr std::uint16_t ethertype_arp = 0x0806;
inline constexpr std::uint16_t ethertype_ipv6 = 0x86dd;
inline constexpr std::uint16_t ethertype_vlan = 0x8100;
inline constexpr std::uint16_t ethertype_qinq = 0x88a8;
inline constexpr std::uint8_t protocol_icmp = 1;
inline constexpr std::uint8_t protocol_tcp = 6;
inline constexpr std::uint8_t protocol_udp = 17;
inline constexpr std::uint8_t protocol_icmp6 = 58;

/// The offsets of the layers in a frame, from its first byte; 0 means that there is no such layer. What an
/// offset points to is completely inside the frame: the fixed header, its options or extension headers, and
/// for `network_end` the declared length.
struct Layers {
  std::uint16_t ethertype = 0;       ///< behind up to two VLAN tags; 0 if the Ethernet header is incomplete
  std::uint8_t protocol = 0;         ///< transport protocol, behind IPv6 extension headers
  bool fragment = false;             ///< true for any IP fragment, the first one too
  std::uint32_t network_offset = 0;  ///< IPv4 or IPv6 header
  std::uint32_t transport_offset =
      0;  ///< behind the IP headers, for any protocol; 0 for a fragment other than the first
  std::uint32_t payload_offset = 0;  ///< behind a complete TCP (with options) or UDP header
  std::uint32_t network_end = 0;     ///< end of the IP packet, behind which there may be padding

  [[nodiscard]] bool ipv4() const noexcept { return network_offset != 0 && ethertype == ethertype_ipv4; }
  [[nodiscard]] bool ipv6() const noexcept { return network_offset != 0 && ethertype == ethertype_ipv6; }
  [[nodiscard]] bool tcp() const noexcept { return payload_offset != 0 && protocol == protocol_tcp; }
  [[nodiscard]] bool udp() const noexcept { return payload_offset != 0 && protocol == protocol_udp; }
};

Layers parse_frame(ConstBytes frame) noexcept;

/// The frame must have at least 14 bytes.
inline MacAddress destination_mac(ConstBytes frame) noexcept {
  MacAddress mac;
  std::memcpy(mac.data(), frame.data(), mac.size());
  return mac;
}
inline MacAddress source_mac(ConstBytes frame) noexcept {
  MacAddress mac;
  std::memcpy(mac.data(), frame.data() + 6, mac.size());
  return mac;
}
inline bool is_group(const MacAddress& mac) noexcept {
  return (mac[0] & std::byte{1}) != std::byte{0};
}
/// True for the link-local group addresses of 802.1D, 01:80:c2:00:00:00 to 0f (STP, LACP, LLDP, …), which are
/// never forwarded.
bool is_link_local_group(const MacAddress& mac) noexcept;

}  // namespace weft
