#include "packet/messages/too_big.h"

#include <algorithm>

#include "packet/checksum.h"
#include "packet/tcp_udp.h"

namespace weft {
namespace {

constexpr std::size_t icmp_header = 8;
constexpr std::size_t ipv4_answer_limit = 576;   // RFC 1812, 4.3.2.3
constexpr std::size_t ipv6_answer_limit = 1280;  // RFC 4443, 2.4 (c)
constexpr std::uint32_t ipv6_min_mtu = 1280;
constexpr std::uint8_t icmp_unreachable = 3;
constexpr std::uint8_t icmp_fragmentation_needed = 4;
constexpr std::uint8_t icmp6_packet_too_big = 2;
constexpr std::uint8_t icmp6_first_informational = 128;
constexpr std::uint8_t hops = 64;

bool unicast_ipv4(const std::byte* address) noexcept {
  const std::uint8_t first = load8(address);
  return first != 0 && first != 127 && first < 224;
}

bool unicast_ipv6(const std::byte* address) noexcept {
  const bool unspecified_or_loopback = load64(address) == 0 && load64(address + 8) <= 1;
  return load8(address) != 0xff && !unspecified_or_loopback;
}

/// True for ICMP types that are requests or replies. All others report an error, in answer to which no error
/// may be sent.
bool icmp_query(std::uint8_t type) noexcept {
  return type == 0 || type == 8 || type == 13 || type == 14;
}

bool may_answer(ConstBytes frame, const Layers& layers) noexcept {
  if (!layers.ipv4() && !layers.ipv6()) return false;
  if (is_group(destination_mac(frame)) || is_group(source_mac(frame))) return false;
  const std::byte* ip = frame.data() + layers.network_offset;
  if (layers.ipv4()) {
    if (!unicast_ipv4(ip + ipv4::source) || !unicast_ipv4(ip + ipv4::destination)) return false;
  } else if (!unicast_ipv6(ip + ipv6::source) || !unicast_ipv6(ip + ipv6::destination)) {
    return false;
  }
  if (layers.transport_offset == 0) return false;
  if (layers.protocol != protocol_icmp && layers.protocol != protocol_icmp6) return true;
  if (layers.transport_offset >= layers.network_end) return false;
  const std::uint8_t type = load8(frame.data() + layers.transport_offset);
  return layers.protocol == protocol_icmp ? icmp_query(type) : type >= icmp6_first_informational;
}

/// Writes the Ethernet header of the frame, VLAN tags included, with its addresses swapped. Returns its size.
std::size_t write_ethernet(ConstBytes frame, const Layers& layers, Bytes out) noexcept {
  std::memcpy(out.data(), frame.data(), layers.network_offset);
  std::memcpy(out.data(), frame.data() + 6, 6);
  std::memcpy(out.data() + 6, frame.data(), 6);
  return layers.network_offset;
}

std::size_t build_ipv4(ConstBytes frame, const Layers& layers, std::uint32_t mtu, Bytes out) noexcept {
  const std::byte* original = frame.data() + layers.network_offset;
  const std::size_t original_size = layers.network_end - layers.network_offset;
  const std::size_t quoted = std::min(original_size, ipv4_answer_limit - ipv4::min_header - icmp_header);
  const std::size_t total = ipv4::min_header + icmp_header + quoted;
  const std::size_t at = write_ethernet(frame, layers, out);

  std::byte* ip = out.data() + at;
  std::memset(ip, 0, ipv4::min_header + icmp_header);
  store8(ip, 0x45);
  store16(ip + ipv4::total_length, static_cast<std::uint16_t>(total));
  store8(ip + ipv4::time_to_live, hops);
  store8(ip + ipv4::protocol, protocol_icmp);
  std::memcpy(ip + ipv4::source, original + ipv4::destination, 4);
  std::memcpy(ip + ipv4::destination, original + ipv4::source, 4);
  write_ipv4_checksum(out, static_cast<std::uint32_t>(at));

  std::byte* icmp = ip + ipv4::min_header;
  store8(icmp, icmp_unreachable);
  store8(icmp + 1, icmp_fragmentation_needed);
  store16(icmp + 6, static_cast<std::uint16_t>(std::min<std::uint32_t>(mtu, 65535)));
  std::memcpy(icmp + icmp_header, original, quoted);
  store16(icmp + 2, checksum_finish(checksum_add({icmp, icmp_header + quoted})));
  return at + total;
}

std::size_t build_ipv6(ConstBytes frame, const Layers& layers, std::uint32_t mtu, Bytes out) noexcept {
  const std::byte* original = frame.data() + layers.network_offset;
  const std::size_t original_size = layers.network_end - layers.network_offset;
  const std::size_t quoted = std::min(original_size, ipv6_answer_limit - ipv6::header - icmp_header);
  const std::size_t payload = icmp_header + quoted;
  const std::size_t at = write_ethernet(frame, layers, out);

  std::byte* ip = out.data() + at;
  std::memset(ip, 0, ipv6::header + icmp_header);
  store8(ip, 0x60);
  store16(ip + ipv6::payload_length, static_cast<std::uint16_t>(payload));
  store8(ip + ipv6::next_header, protocol_icmp6);
  store8(ip + ipv6::hop_limit, hops);
  std::memcpy(ip + ipv6::source, original + ipv6::destination, 16);
  std::memcpy(ip + ipv6::destination, original + ipv6::source, 16);

  std::byte* icmp = ip + ipv6::header;
  store8(icmp, icmp6_packet_too_big);
  store32(icmp + 4, std::max(mtu, ipv6_min_mtu));
  std::memcpy(icmp + icmp_header, original, quoted);
  const std::uint64_t pseudo = checksum_add({ip + ipv6::source, 32}, std::uint64_t{protocol_icmp6} + payload);
  store16(icmp + 2, checksum_finish(checksum_add({icmp, payload}, pseudo)));
  return at + ipv6::header + payload;
}

}  // namespace

bool must_not_fragment(ConstBytes frame, const Layers& layers) noexcept {
  if (layers.ipv6()) return true;
  if (!layers.ipv4()) return false;
  return (load16(frame.data() + layers.network_offset + ipv4::fragmentation) & ipv4::dont_fragment) != 0;
}

std::size_t build_too_big(ConstBytes frame, const Layers& layers, std::uint32_t mtu, Bytes out) noexcept {
  if (!may_answer(frame, layers)) return 0;
  return layers.ipv4() ? build_ipv4(frame, layers, mtu, out) : build_ipv6(frame, layers, mtu, out);
}

}  // namespace weft
