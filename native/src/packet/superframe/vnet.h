/// `struct virtio_net_hdr`, which precedes each frame on a TAP opened with IFF_VNET_HDR. It is declared here
/// because the UDP segmentation type of the kernel is newer than the headers of many distributions.
#pragma once

#include <cstdint>

namespace weft {

/// The fields are in host byte order, which is little-endian wherever weft runs.
struct VnetHeader {
  static constexpr std::uint8_t needs_checksum = 1;  ///< of `flags`: VIRTIO_NET_HDR_F_NEEDS_CSUM
  static constexpr std::uint8_t gso_none = 0;        ///< of `gso_type`
  static constexpr std::uint8_t gso_tcp4 = 1;
  static constexpr std::uint8_t gso_tcp6 = 4;
  static constexpr std::uint8_t gso_udp = 5;  ///< VIRTIO_NET_HDR_GSO_UDP_L4, Linux 6.2
  static constexpr std::uint8_t gso_ecn = 0x80;

  std::uint8_t flags = 0;
  std::uint8_t gso_type = gso_none;
  std::uint16_t header_size = 0;  ///< hint: size of the headers in front of the payload
  std::uint16_t gso_size = 0;     ///< payload size of a segment
  std::uint16_t checksum_start = 0;
  std::uint16_t checksum_offset = 0;
};
static_assert(sizeof(VnetHeader) == 10);

}  // namespace weft
