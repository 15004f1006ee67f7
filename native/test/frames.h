/// Builds frames for tests, by the book and slowly, so that the code under test is compared with something
/// independent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "base/bytes.h"
#include "packet/parse.h"
#include "packet/superframe/vnet.h"
#include "wire/header.h"

namespace weft::test {

using Buffer = std::vector<std::byte>;

enum class Checksum { partial, complete };

/// What a TCP or UDP frame is made of. Every combination is a valid frame.
struct FrameSpec {
  bool ipv6 = false;
  bool udp = false;
  unsigned vlan_tags = 0;
  std::size_t ip_options = 0;     // bytes, a multiple of 4; IPv6: of 8, as a hop-by-hop header
  std::size_t tcp_options = 0;    // bytes, a multiple of 4
  std::uint8_t tcp_flags = 0x10;  // ACK
  std::uint32_t sequence = 1000;
  std::uint32_t acknowledgement = 77;
  std::uint16_t id = 100;
  bool dont_fragment = true;
  std::uint16_t source_port = 40000;
  std::uint8_t time_to_live = 64;
  std::size_t payload = 100;
  std::uint8_t payload_seed = 0;
  Checksum checksum = Checksum::partial;
};

Buffer make_frame(const FrameSpec& spec);
/// The inner header that a frame of the spec travels with.
InnerFrame inner_of(const FrameSpec& spec, std::uint16_t network = 0);
/// The vnet header of a superframe of the spec.
VnetHeader vnet_of(const FrameSpec& spec, std::uint16_t gso_size);

/// True if the IPv4 header checksum is right (always for IPv6).
bool ip_checksum_right(ConstBytes frame);
/// True if the transport checksum, completed first if partial, is right.
bool transport_checksum_right(ConstBytes frame, Checksum kind);

Buffer random_bytes(std::mt19937& random, std::size_t size);

}  // namespace weft::test
