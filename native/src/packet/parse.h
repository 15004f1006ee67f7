/// Finds the layers of an Ethernet frame that nobody has checked yet.
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

/// Where things are. Offsets count from the frame's first byte; 0 means "there is none". What an offset
/// points to is wholly inside the frame: the fixed header, its options or extensions, and for `network_end`
/// the declared length.
struct Layers {
  std::uint16_t ethertype = 0;       ///< behind up to two VLAN tags; 0 if the frame is shorter than a header
  std::uint8_t protocol = 0;         ///< of the transport layer, behind IPv6 extension headers
  bool fragment = false;             ///< an IP fragment, first one included
  std::uint32_t network_offset = 0;  ///< IPv4 or IPv6 header
  std::uint32_t transport_offset =
      0;  ///< what follows the IP headers, of any protocol; not of a later fragment
  std::uint32_t payload_offset = 0;  ///< behind a whole TCP (options included) or UDP header
  std::uint32_t network_end = 0;     ///< where the IP packet ends: padding may follow

  [[nodiscard]] bool ipv4() const noexcept { return network_offset != 0 && ethertype == ethertype_ipv4; }
  [[nodiscard]] bool ipv6() const noexcept { return network_offset != 0 && ethertype == ethertype_ipv6; }
  [[nodiscard]] bool tcp() const noexcept { return payload_offset != 0 && protocol == protocol_tcp; }
  [[nodiscard]] bool udp() const noexcept { return payload_offset != 0 && protocol == protocol_udp; }
};

Layers parse_frame(ConstBytes frame) noexcept;

/// The addresses of a frame of at least 14 bytes.
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
/// Destined to 01:80:c2:00:00:00 … 0f (STP, LACP, LLDP, …): link-local by 802.1D, never forwarded.
bool is_link_local_group(const MacAddress& mac) noexcept;

}  // namespace weft
