#include "packet/flow_hash.h"

#include <doctest/doctest.h>

#include <array>

#include "frames.h"

namespace weft {
namespace {

using test::Buffer;

constexpr std::size_t ethernet = 14;

/// A frame with an IP header, and ports behind it.
Buffer frame_of(std::uint16_t ethertype, std::uint8_t protocol, std::uint32_t host, std::uint16_t port) {
  const bool v6 = ethertype == ethertype_ipv6;
  const std::size_t network = v6 ? 40 : 20;
  Buffer frame(ethernet + network + 20);
  store16(&frame[12], ethertype);
  std::byte* const ip = &frame[ethernet];
  store8(ip, v6 ? 0x60 : 0x45);
  if (v6) {
    store16(ip + 4, 20);
    store8(ip + 6, protocol);
    store32(ip + 20, host);
  } else {
    store16(ip + 2, 40);
    store8(ip + 9, protocol);
    store32(ip + 12, host);
  }
  store16(ip + network, port);
  if (protocol == protocol_tcp) store8(ip + network + 12, 0x50);
  if (protocol == protocol_udp) store16(ip + network + 4, 20);
  return frame;
}

std::uint32_t hash(const Buffer& frame) {
  return flow_hash(frame, parse_frame(frame));
}

TEST_CASE("flows that differ in address or port are spread evenly, over IPv4 and IPv6, TCP and UDP") {
  for (const std::uint16_t ethertype : {ethertype_ipv4, ethertype_ipv6})
    for (const std::uint8_t protocol : {protocol_tcp, protocol_udp}) {
      std::array<int, 4> by_port{};
      std::array<int, 4> by_address{};
      for (unsigned i = 0; i < 4000; ++i) {
        ++by_port[hash(frame_of(ethertype, protocol, 1, static_cast<std::uint16_t>(i))) >> 30];
        ++by_address[hash(frame_of(ethertype, protocol, i, 80)) >> 30];
      }
      for (std::size_t part = 0; part < 4; ++part) {
        CHECK(std::abs(by_port[part] - 1000) < 150);
        CHECK(std::abs(by_address[part] - 1000) < 150);
      }
    }
}

TEST_CASE("what is in a packet behind the ports does not change its flow") {
  Buffer frame = frame_of(ethertype_ipv4, protocol_tcp, 1, 80);
  const std::uint32_t before = hash(frame);
  frame[ethernet + 20 + 7] = std::byte{1};  // sequence number
  store16(&frame[ethernet + 4], 7);         // identification
  CHECK(hash(frame) == before);
}

TEST_CASE("all fragments of a packet are one flow, and so is all that is not IP") {
  Buffer first = frame_of(ethertype_ipv4, protocol_udp, 1, 80);
  Buffer last = frame_of(ethertype_ipv4, protocol_udp, 1, 4711);
  store16(&first[ethernet + 6], 0x2000);
  store16(&last[ethernet + 6], 0x0010);
  CHECK(hash(first) == hash(last));
  CHECK(hash(frame_of(ethertype_arp, 0, 1, 2)) == hash(frame_of(ethertype_arp, 0, 3, 4)));
}

}  // namespace
}  // namespace weft
