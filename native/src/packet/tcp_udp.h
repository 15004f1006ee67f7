/// Offsets and flags of the headers that are rewritten when frames are segmented and coalesced: RFC 791,
/// 8200, 9293, 768.
#pragma once

#include <cstddef>
#include <cstdint>

namespace weft::ipv4 {
inline constexpr std::size_t total_length = 2;
inline constexpr std::size_t identification = 4;
inline constexpr std::size_t fragmentation = 6;
inline constexpr std::size_t time_to_live = 8;
inline constexpr std::size_t protocol = 9;
inline constexpr std::size_t checksum = 10;
inline constexpr std::size_t source = 12;
inline constexpr std::size_t destination = 16;
inline constexpr std::size_t min_header = 20;
inline constexpr std::uint16_t dont_fragment = 0x4000;
}  // namespace weft::ipv4

namespace weft::ipv6 {
inline constexpr std::size_t payload_length = 4;
inline constexpr std::size_t next_header = 6;
inline constexpr std::size_t hop_limit = 7;
inline constexpr std::size_t source = 8;
inline constexpr std::size_t destination = 24;
inline constexpr std::size_t header = 40;
}  // namespace weft::ipv6

namespace weft::tcp {
inline constexpr std::size_t sequence = 4;
inline constexpr std::size_t acknowledgement = 8;
inline constexpr std::size_t flags = 13;
inline constexpr std::size_t window = 14;
inline constexpr std::uint16_t checksum = 16;
inline constexpr std::size_t urgent = 18;
inline constexpr std::size_t min_header = 20;
inline constexpr std::uint8_t fin = 0x01;
inline constexpr std::uint8_t syn = 0x02;
inline constexpr std::uint8_t push = 0x08;
inline constexpr std::uint8_t ack = 0x10;
inline constexpr std::uint8_t congestion_window_reduced = 0x80;
}  // namespace weft::tcp

namespace weft::udp {
inline constexpr std::size_t length = 4;
inline constexpr std::uint16_t checksum = 6;
inline constexpr std::size_t header = 8;
}  // namespace weft::udp
