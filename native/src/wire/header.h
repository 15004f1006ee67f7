/// The UDP wire: docs/protocol.md, section 2. Encoders write exactly the documented bytes; decoders trust
/// nothing, check every field that has a range, and name the reason of a refusal.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/secret.h"

namespace weft {

/// First 8 bytes of a hash of the peer's public key, as a big-endian number. Shown as 16 hex digits.
using PeerId = std::uint64_t;

inline constexpr std::size_t sealed_header_size = 16;
inline constexpr std::size_t tag_size = 16;
inline constexpr std::size_t inner_header_size = 8;
inline constexpr std::size_t probe_size = 16;
inline constexpr std::size_t reply_size = 34;
inline constexpr std::size_t relay_header_size = 32;
/// Bytes that sealing adds around an Ethernet frame inside the UDP payload.
inline constexpr std::size_t frame_overhead = sealed_header_size + inner_header_size + tag_size;
/// The shortest sealed packet that can mean something: an inner header and nothing else.
inline constexpr std::size_t min_sealed_size = frame_overhead;
inline constexpr std::size_t udp_ipv4_overhead = 28;
inline constexpr std::size_t udp_ipv6_overhead = 48;

/// Packets of these lanes left from the router's own port.
inline constexpr unsigned own_port_lanes = 32;
/// Packets of the lanes behind them left from another port: nothing is to be sent there.
inline constexpr unsigned side_lanes = 32;
inline constexpr unsigned lane_count = own_port_lanes + side_lanes;
inline constexpr std::uint64_t counter_limit = std::uint64_t{1} << 60;
inline constexpr std::uint8_t initial_hop_limit = 16;
inline constexpr unsigned min_fragment_count = 2;
inline constexpr unsigned max_fragment_count = 64;

inline constexpr std::size_t ethernet_header_size = 14;
/// Largest Ethernet frame carried: a maximal IPv4 packet behind an Ethernet header with two VLAN tags.
inline constexpr std::size_t max_frame_size = 65535 + ethernet_header_size + 8;

enum class PacketType : std::uint8_t { sealed = 1, relayed = 2, plain = 3 };
enum class InnerKind : std::uint8_t { frame = 0, fragment = 1, probe = 2, reply = 3, kernel_probe = 4 };

/// Why bytes were refused.
enum class WireError : std::uint8_t {
  none,
  too_short,  ///< shorter than its fixed part
  bad_type,   ///< unknown packet type or inner kind
  bad_field,  ///< a field is outside its range, or a reserved one is not 0
};

/// A decoded value, or the reason why there is none (then `value` is meaningless).
template <typename T>
struct Decoded {
  T value{};
  WireError error = WireError::none;

  explicit operator bool() const noexcept { return error == WireError::none; }
  const T& operator*() const noexcept { return value; }
  const T* operator->() const noexcept { return &value; }
};

/// 2.1: the clear header of a sealed packet, or of a plain one (2.9).
struct SealedHeader {
  bool plain = false;
  std::uint8_t lane = 0;
  std::uint32_t key_index = 0;
  std::uint64_t counter = 0;

  /// True if the packet left from another port than the sender's own.
  [[nodiscard]] bool aside() const noexcept { return lane >= own_port_lanes; }
  bool operator==(const SealedHeader&) const = default;
};

/// 2.2, kind 0: what precedes an Ethernet frame.
struct InnerFrame {
  bool partial_checksum = false;
  std::uint16_t network = 0;
  std::uint16_t checksum_start = 0;
  std::uint16_t checksum_offset = 0;

  bool operator==(const InnerFrame&) const = default;
};

/// 2.2, kind 1: what precedes a piece of a frame content.
struct InnerFragment {
  std::uint8_t index = 0;
  std::uint8_t count = 0;
  std::uint32_t id = 0;

  bool operator==(const InnerFragment&) const = default;
};

/// 2.2, kind 2.
struct Probe {
  std::uint16_t size = 0;  ///< bytes of the UDP payload that carries it
  std::uint32_t id = 0;
  std::uint64_t time = 0;

  bool operator==(const Probe&) const = default;
};

/// 2.2, kind 3.
struct Reply {
  std::uint16_t size = 0;
  std::uint32_t id = 0;
  std::uint64_t time = 0;
  std::array<std::byte, 16> seen_address{};  ///< IPv6, or IPv4 as ::ffff:a.b.c.d; zero if relayed
  std::uint16_t seen_port = 0;

  bool operator==(const Reply&) const = default;
};

/// 2.2, kind 4: a probe of the kernel's datapath, or the answer to one.
struct KernelProbe {
  bool answer = false;
  std::uint16_t network = 0;
  std::uint32_t number = 0;

  bool operator==(const KernelProbe&) const = default;
};

/// 2.3: what precedes a sealed packet on its way through a relay.
struct RelayHeader {
  std::uint8_t lane = 0;
  std::uint8_t hop_limit = initial_hop_limit;
  std::uint32_t hop_key_index = 0;
  PeerId destination = 0;
  PeerId source = 0;

  bool operator==(const RelayHeader&) const = default;
};

/// SipHash-2-4 key of one direction of a session with a neighbour.
using HopKey = Secret<16>;

/// The type of a datagram: `too_short` for an empty one, `bad_type` for an unknown one.
Decoded<PacketType> packet_type(ConstBytes datagram) noexcept;

/// Writes the 16 bytes of the header. `to` has at least that many.
void encode(const SealedHeader& header, Bytes to) noexcept;
/// Checks type (sealed or plain), length (`min_sealed_size`), lane, reserved bytes, key index and counter
/// limit.
Decoded<SealedHeader> decode_sealed(ConstBytes packet) noexcept;

/// Kind of an opened packet's content; `too_short` under 8 bytes.
Decoded<InnerKind> inner_kind(ConstBytes content) noexcept;

/// Writes 8 bytes.
void encode(const InnerFrame& inner, Bytes to) noexcept;
/// Checks flags, that an Ethernet header follows, that the frame is at most `max_frame_size` and that the
/// checksum field lies inside it. The frame is `content.subspan(inner_header_size)`.
Decoded<InnerFrame> decode_frame(ConstBytes content) noexcept;

/// Writes 8 bytes.
void encode(const InnerFragment& inner, Bytes to) noexcept;
/// Checks count, index, the reserved byte and that the piece is not empty.
Decoded<InnerFragment> decode_fragment(ConstBytes content) noexcept;

/// Writes 16 bytes; the caller zeroes the padding.
void encode(const Probe& probe, Bytes to) noexcept;
Decoded<Probe> decode_probe(ConstBytes content) noexcept;

/// Writes 34 bytes.
void encode(const Reply& reply, Bytes to) noexcept;
Decoded<Reply> decode_reply(ConstBytes content) noexcept;

/// Writes 8 bytes; the caller zeroes the padding.
void encode(const KernelProbe& probe, Bytes to) noexcept;
Decoded<KernelProbe> decode_kernel_probe(ConstBytes content) noexcept;

/// Writes the relay header with its hop tag at the front of `datagram`, whose bytes from `relay_header_size`
/// on already hold the sealed packet.
void encode(const RelayHeader& header, const HopKey& key, Bytes datagram) noexcept;
/// Checks everything but the tag: lengths, that a sealed header of the same lane follows, hop limit not 0.
Decoded<RelayHeader> decode_relay(ConstBytes datagram) noexcept;
/// True if the hop tag of a datagram that `decode_relay` accepted is right. Takes constant time.
bool verify_hop_tag(const HopKey& key, ConstBytes datagram) noexcept;
/// Writes the tag of a plain packet, which has its header and content already.
void write_plain_tag(const HopKey& key, Bytes packet) noexcept;
/// True if the tag of a plain packet that `decode_sealed` accepted is right. Takes constant time.
bool verify_plain_tag(const HopKey& key, ConstBytes packet) noexcept;
/// The sealed packet inside a relayed datagram.
inline Bytes relayed_packet(Bytes datagram) noexcept {
  return datagram.subspan(relay_header_size);
}

}  // namespace weft
