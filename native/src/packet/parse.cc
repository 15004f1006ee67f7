#include "packet/parse.h"

namespace weft {
namespace {

constexpr std::size_t vlan_tag_size = 4;
constexpr unsigned max_vlan_tags = 2;
constexpr std::size_t ipv4_min_header = 20;
constexpr std::size_t ipv6_header = 40;
constexpr std::size_t tcp_min_header = 20;
constexpr std::size_t udp_header = 8;

// Next header values of the extension headers that are skipped (RFC 8200, 4302). The routing header is not
// among them: with it the pseudo-header has another destination than the IP header, so the layers behind it
// are left alone.
constexpr std::uint8_t hop_by_hop = 0;
constexpr std::uint8_t fragment_header = 44;
constexpr std::uint8_t authentication = 51;
constexpr std::uint8_t destination_options = 60;
constexpr unsigned max_extensions = 8;

constexpr std::uint16_t ipv4_more_fragments_or_offset = 0x3fff;
constexpr std::uint16_t ipv4_offset = 0x1fff;
constexpr std::uint16_t ipv6_more_fragments_or_offset = 0xfff9;
constexpr std::uint16_t ipv6_offset = 0xfff8;

void find_payload(ConstBytes frame, Layers& layers) noexcept {
  const std::size_t at = layers.transport_offset;
  const std::size_t room = layers.network_end - at;
  std::size_t header = 0;
  if (layers.protocol == protocol_tcp && room >= tcp_min_header) {
    header = static_cast<std::size_t>(load8(frame.data() + at + 12) >> 4) * 4;
    if (header < tcp_min_header) return;
  } else if (layers.protocol == protocol_udp && room >= udp_header) {
    header = udp_header;
  }
  if (header != 0 && header <= room) layers.payload_offset = static_cast<std::uint32_t>(at + header);
}

void parse_ipv4(ConstBytes frame, std::size_t at, Layers& layers) noexcept {
  if (frame.size() - at < ipv4_min_header) return;
  const std::byte* ip = frame.data() + at;
  const std::size_t header = static_cast<std::size_t>(load8(ip) & 0x0f) * 4;
  const std::size_t total = load16(ip + 2);
  if (load8(ip) >> 4 != 4 || header < ipv4_min_header || total < header || total > frame.size() - at) return;

  const std::uint16_t fragmentation = load16(ip + 6);
  layers.network_offset = static_cast<std::uint32_t>(at);
  layers.network_end = static_cast<std::uint32_t>(at + total);
  layers.protocol = load8(ip + 9);
  layers.fragment = (fragmentation & ipv4_more_fragments_or_offset) != 0;
  if ((fragmentation & ipv4_offset) != 0) return;
  layers.transport_offset = static_cast<std::uint32_t>(at + header);
  find_payload(frame, layers);
}

void parse_ipv6(ConstBytes frame, std::size_t at, Layers& layers) noexcept {
  if (frame.size() - at < ipv6_header) return;
  const std::byte* ip = frame.data() + at;
  const std::size_t payload = load16(ip + 4);
  if (load8(ip) >> 4 != 6 || payload > frame.size() - at - ipv6_header) return;

  layers.network_offset = static_cast<std::uint32_t>(at);
  layers.network_end = static_cast<std::uint32_t>(at + ipv6_header + payload);
  std::size_t next = at + ipv6_header;
  layers.protocol = load8(ip + 6);
  for (unsigned extensions = 0; extensions < max_extensions; ++extensions) {
    const std::size_t room = layers.network_end - next;
    std::size_t size = 0;
    switch (layers.protocol) {
      case hop_by_hop:
      case destination_options:
        if (room < 8) return;
        size = (static_cast<std::size_t>(load8(frame.data() + next + 1)) + 1) * 8;
        break;
      case authentication:
        if (room < 8) return;
        size = (static_cast<std::size_t>(load8(frame.data() + next + 1)) + 2) * 4;
        break;
      case fragment_header: {
        if (room < 8) return;
        const std::uint16_t fragmentation = load16(frame.data() + next + 2);
        layers.fragment = layers.fragment || (fragmentation & ipv6_more_fragments_or_offset) != 0;
        if ((fragmentation & ipv6_offset) != 0) {
          layers.protocol = load8(frame.data() + next);
          return;
        }
        size = 8;
        break;
      }
      default:
        layers.transport_offset = static_cast<std::uint32_t>(next);
        find_payload(frame, layers);
        return;
    }
    if (size > room) return;
    layers.protocol = load8(frame.data() + next);
    next += size;
  }
}

}  // namespace

Layers parse_frame(ConstBytes frame) noexcept {
  Layers layers;
  if (frame.size() < ethernet_header_size) return layers;
  std::size_t at = ethernet_header_size;
  layers.ethertype = load16(frame.data() + at - 2);
  for (unsigned tags = 0; tags < max_vlan_tags; ++tags) {
    const bool tagged = layers.ethertype == ethertype_vlan || layers.ethertype == ethertype_qinq;
    if (!tagged || frame.size() - at < vlan_tag_size) break;
    at += vlan_tag_size;
    layers.ethertype = load16(frame.data() + at - 2);
  }
  if (layers.ethertype == ethertype_ipv4) parse_ipv4(frame, at, layers);
  if (layers.ethertype == ethertype_ipv6) parse_ipv6(frame, at, layers);
  return layers;
}

bool is_link_local_group(const MacAddress& mac) noexcept {
  constexpr std::array prefix{std::byte{0x01}, std::byte{0x80}, std::byte{0xc2}, std::byte{0}, std::byte{0}};
  return std::memcmp(mac.data(), prefix.data(), prefix.size()) == 0 && load8(&mac[5]) < 0x10;
}

}  // namespace weft
