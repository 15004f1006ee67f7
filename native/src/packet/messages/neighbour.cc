#include "packet/messages/neighbour.h"

#include <algorithm>

#include "packet/checksum.h"
#include "packet/tcp_udp.h"

namespace weft {
namespace {

constexpr std::size_t mac_size = 6;

// ARP over Ethernet for IPv4, RFC 826.
namespace arp {
constexpr std::size_t at = ethernet_header_size;
constexpr std::size_t size = 28;
constexpr std::uint64_t ethernet_ipv4 = 0x0001'0800'0604;  // hardware, protocol, and the lengths of addresses
constexpr std::size_t operation = at + 6;
constexpr std::size_t sender_mac = at + 8;
constexpr std::size_t sender_ip = at + 14;
constexpr std::size_t target_mac = at + 18;
constexpr std::size_t target_ip = at + 24;
constexpr std::uint16_t request = 1;
constexpr std::uint16_t reply = 2;
}  // namespace arp

// RFC 4861, 4.3 and 4.4; offsets from the ICMPv6 header.
namespace nd {
constexpr std::uint8_t first_type = 133;  // router solicitation
constexpr std::uint8_t solicitation = 135;
constexpr std::uint8_t advertisement = 136;
constexpr std::uint8_t last_type = 137;  // redirect
constexpr std::uint8_t hop_limit = 255;
constexpr std::size_t min_size = 24;
constexpr std::size_t flags = 4;
constexpr std::size_t target = 8;
constexpr std::size_t option = 24;
constexpr std::size_t answer_size = option + 8;
constexpr std::uint32_t solicited_override = 0x6000'0000;
constexpr std::uint32_t override_only = 0x2000'0000;
constexpr std::uint16_t target_mac_option = 0x0201;  // type 2, 8 bytes
constexpr std::array<std::byte, 16> all_nodes{
    std::byte{0xff}, std::byte{2}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, std::byte{1}};
}  // namespace nd

bool is_zero(const std::byte* from, std::size_t size) noexcept {
  return std::all_of(from, from + size, [](std::byte byte) { return byte == std::byte{0}; });
}

std::optional<IpAddress> arp_question(ConstBytes frame) noexcept {
  if (frame.size() < arp::at + arp::size) return std::nullopt;
  const std::byte* at = frame.data();
  if (load64(at + arp::at) >> 16 != arp::ethernet_ipv4 || load16(at + arp::operation) != arp::request)
    return std::nullopt;
  const bool own = std::memcmp(at + arp::sender_ip, at + arp::target_ip, 4) == 0;
  // An answer must go to the host that asked, and not to another one that the request names.
  const bool honest = std::memcmp(at + arp::sender_mac, at + mac_size, mac_size) == 0;
  if (own || !honest || is_zero(at + arp::sender_ip, 4)) return std::nullopt;
  return IpAddress::ipv4(at + arp::target_ip);
}

std::optional<IpAddress> nd_question(ConstBytes frame, const Layers& layers) noexcept {
  if (!layers.ipv6() || layers.protocol != protocol_icmp6 || layers.fragment) return std::nullopt;
  if (layers.transport_offset == 0 || layers.network_end - layers.transport_offset < nd::min_size)
    return std::nullopt;
  const std::byte* ip = frame.data() + layers.network_offset;
  const std::byte* icmp = frame.data() + layers.transport_offset;
  if (load8(ip + ipv6::hop_limit) != nd::hop_limit || load16(icmp) >> 8 != nd::solicitation ||
      load8(icmp + 1) != 0)
    return std::nullopt;
  const bool own = std::memcmp(ip + ipv6::source, icmp + nd::target, 16) == 0;
  if (own || is_zero(ip + ipv6::source, 16) || load8(ip + ipv6::source) == 0xff) return std::nullopt;
  return IpAddress::ipv6(icmp + nd::target);
}

void write_ethernet(ConstBytes question, const MacAddress& mac, Bytes out) noexcept {
  std::memcpy(out.data(), question.data() + mac_size, mac_size);
  std::memcpy(out.data() + mac_size, mac.data(), mac_size);
  std::memcpy(out.data() + 2 * mac_size, question.data() + 2 * mac_size, 2);
}

std::size_t build_arp(ConstBytes question, const MacAddress& mac, Bytes out) noexcept {
  write_ethernet(question, mac, out);
  std::byte* at = out.data();
  store64(at + arp::at, arp::ethernet_ipv4 << 16 | arp::reply);
  std::memcpy(at + arp::sender_mac, mac.data(), mac_size);
  std::memcpy(at + arp::sender_ip, question.data() + arp::target_ip, 4);
  std::memcpy(at + arp::target_mac, question.data() + arp::sender_mac, mac_size);
  std::memcpy(at + arp::target_ip, question.data() + arp::sender_ip, 4);
  return arp::at + arp::size;
}

// Writes everything behind the Ethernet header, which has been written before.
std::size_t write_advertisement(const std::byte* to, std::uint32_t flags, const std::byte* target,
                                const MacAddress& mac, Bytes out) noexcept {
  std::byte* ip = out.data() + ethernet_header_size;
  std::byte* icmp = ip + ipv6::header;
  std::memset(ip, 0, ipv6::header + nd::answer_size);
  store8(ip, 0x60);
  store16(ip + ipv6::payload_length, nd::answer_size);
  store8(ip + ipv6::next_header, protocol_icmp6);
  store8(ip + ipv6::hop_limit, nd::hop_limit);
  std::memcpy(ip + ipv6::source, target, 16);
  std::memcpy(ip + ipv6::destination, to, 16);
  store8(icmp, nd::advertisement);
  store32(icmp + nd::flags, flags);
  std::memcpy(icmp + nd::target, target, 16);
  store16(icmp + nd::option, nd::target_mac_option);
  std::memcpy(icmp + nd::option + 2, mac.data(), mac_size);
  const std::uint64_t pseudo = checksum_add({ip + ipv6::source, 32}, protocol_icmp6 + nd::answer_size);
  store16(icmp + 2, checksum_finish(checksum_add({icmp, nd::answer_size}, pseudo)));
  return ethernet_header_size + ipv6::header + nd::answer_size;
}

std::size_t build_nd(ConstBytes question, const Layers& layers, const MacAddress& mac, Bytes out) noexcept {
  write_ethernet(question, mac, out);
  const std::byte* asker = question.data() + layers.network_offset + ipv6::source;
  const std::byte* target = question.data() + layers.transport_offset + nd::target;
  return write_advertisement(asker, nd::solicited_override, target, mac, out);
}

void add_arp_claims(ConstBytes frame, NeighbourClaims& claims) noexcept {
  const std::byte* at = frame.data();
  if (frame.size() < arp::at + arp::size || load64(at + arp::at) >> 16 != arp::ethernet_ipv4) return;
  if (!is_zero(at + arp::sender_ip, 4)) claims.add(IpAddress::ipv4(at + arp::sender_ip));
}

void add_nd_claims(ConstBytes frame, const Layers& layers, NeighbourClaims& claims) noexcept {
  if (!layers.ipv6() || layers.protocol != protocol_icmp6 || layers.transport_offset == 0 ||
      layers.transport_offset == layers.network_end)
    return;
  const std::byte* source = frame.data() + layers.network_offset + ipv6::source;
  const std::byte* icmp = frame.data() + layers.transport_offset;
  const std::uint8_t type = load8(icmp);
  if (type < nd::first_type || type > nd::last_type) return;
  if (!is_zero(source, 16)) claims.add(IpAddress::ipv6(source));
  const bool whole = layers.network_end - layers.transport_offset >= nd::min_size;
  if (type == nd::advertisement && whole) claims.add(IpAddress::ipv6(icmp + nd::target));
}

}  // namespace

std::optional<IpAddress> neighbour_question(ConstBytes frame, const Layers& layers) noexcept {
  if (frame.size() < ethernet_header_size || is_group(source_mac(frame)) || !is_group(destination_mac(frame)))
    return std::nullopt;
  // A frame with a VLAN tag belongs to another segment, for which no addresses are announced.
  const std::uint16_t ethertype = load16(frame.data() + 2 * mac_size);
  if (ethertype == ethertype_arp) return arp_question(frame);
  return ethertype == ethertype_ipv6 ? nd_question(frame, layers) : std::nullopt;
}

NeighbourClaims neighbour_claims(ConstBytes frame, const Layers& layers) noexcept {
  NeighbourClaims claims;
  if (frame.size() < ethernet_header_size) return claims;
  const std::uint16_t ethertype = load16(frame.data() + 2 * mac_size);
  if (ethertype == ethertype_arp) add_arp_claims(frame, claims);
  if (ethertype == ethertype_ipv6) add_nd_claims(frame, layers, claims);
  return claims;
}

std::size_t build_neighbour_announcement(const IpAddress& address, const MacAddress& mac,
                                         const MacAddress& sender, Bytes out) noexcept {
  std::byte* at = out.data();
  std::memcpy(at + mac_size, sender.data(), mac_size);
  if (!address.is_ipv4()) {
    constexpr std::uint16_t multicast = 0x3333;
    store16(at, multicast);
    store32(at + 2, 1);
    store16(at + 2 * mac_size, ethertype_ipv6);
    return write_advertisement(nd::all_nodes.data(), nd::override_only, address.bytes().data(), mac, out);
  }
  std::memset(at, 0xff, mac_size);
  store16(at + 2 * mac_size, ethertype_arp);
  store64(at + arp::at, arp::ethernet_ipv4 << 16 | arp::request);
  std::memcpy(at + arp::sender_mac, mac.data(), mac_size);
  std::memcpy(at + arp::sender_ip, address.ipv4_bytes(), 4);
  std::memset(at + arp::target_mac, 0, mac_size);
  std::memcpy(at + arp::target_ip, address.ipv4_bytes(), 4);
  return arp::at + arp::size;
}

std::size_t build_neighbour_answer(ConstBytes question, const Layers& layers, const MacAddress& mac,
                                   Bytes out) noexcept {
  return layers.ethertype == ethertype_arp ? build_arp(question, mac, out)
                                           : build_nd(question, layers, mac, out);
}

}  // namespace weft
