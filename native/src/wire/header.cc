#include "wire/header.h"

#include <sodium.h>

#include <algorithm>

namespace weft {
namespace {

using HopTag = std::array<unsigned char, crypto_shorthash_siphash24_BYTES>;

constexpr std::size_t hop_tag_offset = 24;
static_assert(hop_tag_offset + sizeof(HopTag) == relay_header_size);

HopTag hop_tag(const HopKey& key, const std::byte* datagram) noexcept {
  std::array<std::byte, hop_tag_offset + sealed_header_size> covered;
  std::memcpy(covered.data(), datagram, hop_tag_offset);
  std::memcpy(covered.data() + hop_tag_offset, datagram + relay_header_size, sealed_header_size);
  HopTag tag;
  crypto_shorthash_siphash24(tag.data(), reinterpret_cast<const unsigned char*>(covered.data()),
                             covered.size(), key.raw());
  return tag;
}

using PlainTag = std::array<unsigned char, crypto_shorthash_siphashx24_BYTES>;
static_assert(sizeof(PlainTag) == tag_size);

PlainTag plain_tag(const HopKey& key, const std::byte* packet) noexcept {
  PlainTag tag;
  crypto_shorthash_siphashx24(tag.data(), reinterpret_cast<const unsigned char*>(packet), sealed_header_size,
                              key.raw());
  return tag;
}

template <typename T>
Decoded<T> refuse(WireError error) noexcept {
  return {.value = {}, .error = error};
}

}  // namespace

Decoded<PacketType> packet_type(ConstBytes datagram) noexcept {
  if (datagram.empty()) return refuse<PacketType>(WireError::too_short);
  const auto type = static_cast<PacketType>(load8(datagram.data()));
  if (type != PacketType::sealed && type != PacketType::relayed && type != PacketType::plain)
    return refuse<PacketType>(WireError::bad_type);
  return {type};
}

void encode(const SealedHeader& header, Bytes to) noexcept {
  store8(to.data(), static_cast<std::uint8_t>(header.plain ? PacketType::plain : PacketType::sealed));
  store8(to.data() + 1, header.lane);
  store16(to.data() + 2, 0);
  store32(to.data() + 4, header.key_index);
  store64(to.data() + 8, header.counter);
}

Decoded<SealedHeader> decode_sealed(ConstBytes packet) noexcept {
  if (packet.size() < min_sealed_size) return refuse<SealedHeader>(WireError::too_short);
  const auto type = static_cast<PacketType>(load8(packet.data()));
  if (type != PacketType::sealed && type != PacketType::plain)
    return refuse<SealedHeader>(WireError::bad_type);
  const SealedHeader header{.plain = type == PacketType::plain,
                            .lane = load8(packet.data() + 1),
                            .key_index = load32(packet.data() + 4),
                            .counter = load64(packet.data() + 8)};
  const bool in_range = header.lane < lane_count && load16(packet.data() + 2) == 0 && header.key_index != 0 &&
                        header.counter < counter_limit;
  if (!in_range) return refuse<SealedHeader>(WireError::bad_field);
  return {header};
}

Decoded<InnerKind> inner_kind(ConstBytes content) noexcept {
  if (content.size() < inner_header_size) return refuse<InnerKind>(WireError::too_short);
  const std::uint8_t kind = load8(content.data());
  if (kind > static_cast<std::uint8_t>(InnerKind::kernel_probe))
    return refuse<InnerKind>(WireError::bad_type);
  return {static_cast<InnerKind>(kind)};
}

void encode(const InnerFrame& inner, Bytes to) noexcept {
  store8(to.data(), static_cast<std::uint8_t>(InnerKind::frame));
  store8(to.data() + 1, inner.partial_checksum ? 1 : 0);
  store16(to.data() + 2, inner.network);
  store16(to.data() + 4, inner.checksum_start);
  store16(to.data() + 6, inner.checksum_offset);
}

Decoded<InnerFrame> decode_frame(ConstBytes content) noexcept {
  if (content.size() < inner_header_size + ethernet_header_size) {
    return refuse<InnerFrame>(WireError::too_short);
  }
  if (load8(content.data()) != static_cast<std::uint8_t>(InnerKind::frame)) {
    return refuse<InnerFrame>(WireError::bad_type);
  }
  const std::uint8_t flags = load8(content.data() + 1);
  const InnerFrame inner{.partial_checksum = flags == 1,
                         .network = load16(content.data() + 2),
                         .checksum_start = load16(content.data() + 4),
                         .checksum_offset = load16(content.data() + 6)};
  const std::size_t frame_size = content.size() - inner_header_size;
  const std::size_t checksum_end = std::size_t{inner.checksum_start} + inner.checksum_offset + 2;
  const bool checksum_valid = inner.partial_checksum
                                  ? inner.checksum_start >= ethernet_header_size && checksum_end <= frame_size
                                  : inner.checksum_start == 0 && inner.checksum_offset == 0;
  if (flags > 1 || frame_size > max_frame_size || !checksum_valid) {
    return refuse<InnerFrame>(WireError::bad_field);
  }
  return {inner};
}

void encode(const InnerFragment& inner, Bytes to) noexcept {
  store8(to.data(), static_cast<std::uint8_t>(InnerKind::fragment));
  store8(to.data() + 1, inner.index);
  store8(to.data() + 2, inner.count);
  store8(to.data() + 3, 0);
  store32(to.data() + 4, inner.id);
}

Decoded<InnerFragment> decode_fragment(ConstBytes content) noexcept {
  if (content.size() <= inner_header_size) return refuse<InnerFragment>(WireError::too_short);
  if (load8(content.data()) != static_cast<std::uint8_t>(InnerKind::fragment)) {
    return refuse<InnerFragment>(WireError::bad_type);
  }
  const InnerFragment inner{.index = load8(content.data() + 1),
                            .count = load8(content.data() + 2),
                            .id = load32(content.data() + 4)};
  const bool in_range = inner.count >= min_fragment_count && inner.count <= max_fragment_count &&
                        inner.index < inner.count && load8(content.data() + 3) == 0;
  if (!in_range) return refuse<InnerFragment>(WireError::bad_field);
  return {inner};
}

void encode(const Probe& probe, Bytes to) noexcept {
  store8(to.data(), static_cast<std::uint8_t>(InnerKind::probe));
  store8(to.data() + 1, 0);
  store16(to.data() + 2, probe.size);
  store32(to.data() + 4, probe.id);
  store64(to.data() + 8, probe.time);
}

Decoded<Probe> decode_probe(ConstBytes content) noexcept {
  if (content.size() < probe_size) return refuse<Probe>(WireError::too_short);
  if (load8(content.data()) != static_cast<std::uint8_t>(InnerKind::probe)) {
    return refuse<Probe>(WireError::bad_type);
  }
  if (load8(content.data() + 1) != 0) return refuse<Probe>(WireError::bad_field);
  return {{.size = load16(content.data() + 2),
           .id = load32(content.data() + 4),
           .time = load64(content.data() + 8)}};
}

void encode(const Reply& reply, Bytes to) noexcept {
  store8(to.data(), static_cast<std::uint8_t>(InnerKind::reply));
  store8(to.data() + 1, 0);
  store16(to.data() + 2, reply.size);
  store32(to.data() + 4, reply.id);
  store64(to.data() + 8, reply.time);
  std::memcpy(to.data() + 16, reply.seen_address.data(), reply.seen_address.size());
  store16(to.data() + 32, reply.seen_port);
}

Decoded<Reply> decode_reply(ConstBytes content) noexcept {
  if (content.size() < reply_size) return refuse<Reply>(WireError::too_short);
  if (load8(content.data()) != static_cast<std::uint8_t>(InnerKind::reply)) {
    return refuse<Reply>(WireError::bad_type);
  }
  if (load8(content.data() + 1) != 0) return refuse<Reply>(WireError::bad_field);
  Reply reply{.size = load16(content.data() + 2),
              .id = load32(content.data() + 4),
              .time = load64(content.data() + 8),
              .seen_port = load16(content.data() + 32)};
  std::memcpy(reply.seen_address.data(), content.data() + 16, reply.seen_address.size());
  return {reply};
}

void encode(const KernelProbe& probe, Bytes to) noexcept {
  store8(to.data(), static_cast<std::uint8_t>(InnerKind::kernel_probe));
  store8(to.data() + 1, probe.answer ? 1 : 0);
  store16(to.data() + 2, probe.network);
  store32(to.data() + 4, probe.number);
}

Decoded<KernelProbe> decode_kernel_probe(ConstBytes content) noexcept {
  if (content.size() < inner_header_size) return refuse<KernelProbe>(WireError::too_short);
  if (load8(content.data()) != static_cast<std::uint8_t>(InnerKind::kernel_probe)) {
    return refuse<KernelProbe>(WireError::bad_type);
  }
  const std::uint8_t flags = load8(content.data() + 1);
  if (flags > 1) return refuse<KernelProbe>(WireError::bad_field);
  return {
      {.answer = flags == 1, .network = load16(content.data() + 2), .number = load32(content.data() + 4)}};
}

void encode(const RelayHeader& header, const HopKey& key, Bytes datagram) noexcept {
  std::byte* to = datagram.data();
  store8(to, static_cast<std::uint8_t>(PacketType::relayed));
  store8(to + 1, header.lane);
  store8(to + 2, header.hop_limit);
  store8(to + 3, 0);
  store32(to + 4, header.hop_key_index);
  store64(to + 8, header.destination);
  store64(to + 16, header.source);
  const HopTag tag = hop_tag(key, to);
  std::memcpy(to + hop_tag_offset, tag.data(), tag.size());
}

Decoded<RelayHeader> decode_relay(ConstBytes datagram) noexcept {
  if (datagram.size() < relay_header_size + min_sealed_size) return refuse<RelayHeader>(WireError::too_short);
  const std::byte* from = datagram.data();
  if (load8(from) != static_cast<std::uint8_t>(PacketType::relayed))
    return refuse<RelayHeader>(WireError::bad_type);
  const RelayHeader header{.lane = load8(from + 1),
                           .hop_limit = load8(from + 2),
                           .hop_key_index = load32(from + 4),
                           .destination = load64(from + 8),
                           .source = load64(from + 16)};
  const auto sealed = decode_sealed(datagram.subspan(relay_header_size));
  const bool in_range = sealed && !sealed->plain && sealed->lane == header.lane && header.hop_limit != 0 &&
                        load8(from + 3) == 0 && header.hop_key_index != 0;
  if (!in_range) return refuse<RelayHeader>(WireError::bad_field);
  return {header};
}

bool verify_hop_tag(const HopKey& key, ConstBytes datagram) noexcept {
  const HopTag tag = hop_tag(key, datagram.data());
  return sodium_memcmp(tag.data(), datagram.data() + hop_tag_offset, tag.size()) == 0;
}

void write_plain_tag(const HopKey& key, Bytes packet) noexcept {
  const PlainTag tag = plain_tag(key, packet.data());
  std::memcpy(packet.data() + packet.size() - tag_size, tag.data(), tag.size());
}

bool verify_plain_tag(const HopKey& key, ConstBytes packet) noexcept {
  const PlainTag tag = plain_tag(key, packet.data());
  return sodium_memcmp(tag.data(), packet.data() + packet.size() - tag_size, tag.size()) == 0;
}

}  // namespace weft
