#include "wire/header.h"

#include <doctest/doctest.h>

#include "frames.h"
#include "packet/messages/kernel_probe.h"

namespace weft {
namespace {

using test::Buffer;

Buffer sealed_packet() {
  Buffer packet(min_sealed_size + 20);
  encode(SealedHeader{.lane = 7, .key_index = 0xdeadbeef, .counter = 42}, packet);
  return packet;
}

TEST_CASE("a sealed header comes back as it was written") {
  const auto header = decode_sealed(sealed_packet());
  REQUIRE(header);
  CHECK(*header == SealedHeader{.lane = 7, .key_index = 0xdeadbeef, .counter = 42});
}

TEST_CASE("lanes from 32 on are of other ports than the sender's own") {
  CHECK_FALSE(SealedHeader{.lane = 31}.aside());
  CHECK(SealedHeader{.lane = 32}.aside());
}

TEST_CASE("a sealed packet is refused for each field out of range") {
  const auto with = [](std::size_t at, unsigned value) {
    Buffer packet = sealed_packet();
    packet[at] = std::byte(value);
    return decode_sealed(packet).error;
  };
  CHECK(with(0, 2) == WireError::bad_type);
  CHECK(with(0, 4) == WireError::bad_type);
  CHECK(with(1, 63) == WireError::none);
  CHECK(with(1, 64) == WireError::bad_field);
  CHECK(with(2, 1) == WireError::bad_field);
  CHECK(with(3, 1) == WireError::bad_field);
  CHECK(with(8, 0x10) == WireError::bad_field);
  Buffer without_key = sealed_packet();
  store32(&without_key[4], 0);
  CHECK(decode_sealed(without_key).error == WireError::bad_field);
  CHECK(decode_sealed(ConstBytes(sealed_packet()).first(min_sealed_size - 1)).error == WireError::too_short);
  CHECK(decode_sealed({}).error == WireError::too_short);
}

TEST_CASE("a plain packet is told from a sealed one, and its tag covers every bit of its header") {
  HopKey key;
  std::fill(key.mutable_bytes().begin(), key.mutable_bytes().end(), std::byte{0x42});
  Buffer packet(min_sealed_size + 20);
  encode(SealedHeader{.plain = true, .lane = 7, .key_index = 0xdeadbeef, .counter = 42}, packet);
  write_plain_tag(key, packet);
  REQUIRE(decode_sealed(packet));
  CHECK(decode_sealed(packet)->plain);
  CHECK(verify_plain_tag(key, packet));
  for (std::size_t bit = 0; bit < sealed_header_size * 8; ++bit) {
    packet[bit / 8] ^= std::byte(1U << bit % 8);
    CHECK_FALSE(verify_plain_tag(key, packet));
    packet[bit / 8] ^= std::byte(1U << bit % 8);
  }
  HopKey other;
  std::fill(other.mutable_bytes().begin(), other.mutable_bytes().end(), std::byte{0x43});
  CHECK_FALSE(verify_plain_tag(other, packet));
}

TEST_CASE("a plain packet cannot be relayed") {
  HopKey key;
  Buffer datagram(relay_header_size + min_sealed_size);
  encode(SealedHeader{.lane = 1, .key_index = 1, .counter = 1}, Bytes(datagram).subspan(relay_header_size));
  encode(RelayHeader{.lane = 1, .hop_key_index = 1, .destination = 1, .source = 2}, key, datagram);
  CHECK(decode_relay(datagram));
  datagram[relay_header_size] = std::byte(PacketType::plain);
  CHECK(decode_relay(datagram).error == WireError::bad_field);
}

TEST_CASE("only the three packet types and the five inner kinds are known") {
  for (unsigned type = 0; type < 256; ++type) {
    const Buffer packet(64, std::byte(type));
    CHECK(static_cast<bool>(packet_type(packet)) == (type >= 1 && type <= 3));
    CHECK(static_cast<bool>(inner_kind(packet)) == (type < 5));
  }
  CHECK(packet_type({}).error == WireError::too_short);
  CHECK(inner_kind(Buffer(7)).error == WireError::too_short);
}

TEST_CASE("a frame header comes back, and a checksum outside the frame is refused") {
  Buffer content(inner_header_size + 60);
  const InnerFrame inner{.partial_checksum = true, .network = 9, .checksum_start = 34, .checksum_offset = 16};
  encode(inner, content);
  REQUIRE(decode_frame(content));
  CHECK(*decode_frame(content) == inner);

  CHECK(decode_frame(ConstBytes(content).first(inner_header_size + 52)).error == WireError::none);
  CHECK(decode_frame(ConstBytes(content).first(inner_header_size + 51)).error == WireError::bad_field);
  encode(InnerFrame{.partial_checksum = true, .checksum_start = 65535, .checksum_offset = 65535}, content);
  CHECK(decode_frame(content).error == WireError::bad_field);
  encode(InnerFrame{.partial_checksum = true, .checksum_start = 0, .checksum_offset = 6}, content);
  CHECK(decode_frame(content).error == WireError::bad_field);
  encode(InnerFrame{.partial_checksum = false, .checksum_start = 34}, content);
  CHECK(decode_frame(content).error == WireError::bad_field);
  encode(InnerFrame{}, content);
  content[1] = std::byte{2};
  CHECK(decode_frame(content).error == WireError::bad_field);
}

TEST_CASE("a kernel probe has the documented bytes, comes back, and is refused with an unknown flag") {
  Buffer content(inner_header_size + 100);
  const KernelProbe answer{.answer = true, .network = 0x0102, .number = 0x03040506};
  encode(answer, content);
  const std::array<unsigned, 8> bytes{4, 1, 1, 2, 3, 4, 5, 6};
  for (std::size_t i = 0; i < bytes.size(); ++i)
    CHECK(content[i] == std::byte(bytes[i]));
  REQUIRE(decode_kernel_probe(content));
  CHECK(*decode_kernel_probe(content) == answer);
  encode(KernelProbe{.network = 7}, content);
  CHECK_FALSE(decode_kernel_probe(content)->answer);
  content[1] = std::byte{2};
  CHECK(decode_kernel_probe(content).error == WireError::bad_field);
  encode(Probe{}, content);
  CHECK(decode_kernel_probe(content).error == WireError::bad_type);
  CHECK(decode_kernel_probe(ConstBytes(content).first(7)).error == WireError::too_short);
}

TEST_CASE("the frame of a kernel probe is told from others, and never read beyond its end") {
  Buffer frame(kernel_probe_header_size);
  const MacAddress destination{std::byte{2}, {}, {}, {}, {}, std::byte{1}};
  const MacAddress source{std::byte{2}, {}, {}, {}, {}, std::byte{9}};
  encode_kernel_probe(destination, source, frame);
  CHECK(destination_mac(frame) == destination);
  CHECK(source_mac(frame) == source);
  CHECK(is_kernel_probe(frame));
  CHECK(std::string(reinterpret_cast<const char*>(&frame[14]), 8) == "weftkrnl");
  for (std::size_t at = 12; at < frame.size(); ++at) {
    frame[at] ^= std::byte{1};
    CHECK_FALSE(is_kernel_probe(frame));
    frame[at] ^= std::byte{1};
  }
  CHECK_FALSE(is_kernel_probe(ConstBytes(frame).first(frame.size() - 1)));
  CHECK_FALSE(is_kernel_probe({}));
}

TEST_CASE("a frame shorter than an Ethernet header or longer than any is refused") {
  CHECK(decode_frame(Buffer(inner_header_size + 13)).error == WireError::too_short);
  CHECK(decode_frame(Buffer(inner_header_size + 14)).error == WireError::none);
  CHECK(decode_frame(Buffer(inner_header_size + max_frame_size)).error == WireError::none);
  CHECK(decode_frame(Buffer(inner_header_size + max_frame_size + 1)).error == WireError::bad_field);
}

TEST_CASE("a fragment header comes back, and impossible ones are refused") {
  Buffer content(inner_header_size + 1);
  const auto error = [&](unsigned index, unsigned count) {
    encode(
        InnerFragment{
            .index = static_cast<std::uint8_t>(index), .count = static_cast<std::uint8_t>(count), .id = 5},
        content);
    return decode_fragment(content).error;
  };
  CHECK(error(0, 2) == WireError::none);
  CHECK(error(63, 64) == WireError::none);
  CHECK(*decode_fragment(content) == InnerFragment{.index = 63, .count = 64, .id = 5});
  CHECK(error(2, 2) == WireError::bad_field);
  CHECK(error(0, 1) == WireError::bad_field);
  CHECK(error(0, 0) == WireError::bad_field);
  CHECK(error(0, 65) == WireError::bad_field);
  CHECK(decode_fragment(ConstBytes(content).first(inner_header_size)).error == WireError::too_short);
}

TEST_CASE("probes and replies come back as they were written") {
  Buffer content(reply_size);
  const Probe probe{.size = 1400, .id = 3, .time = 0x0102030405060708};
  encode(probe, content);
  REQUIRE(decode_probe(content));
  CHECK(*decode_probe(content) == probe);
  CHECK(decode_reply(content).error == WireError::bad_type);

  Reply reply{.size = 1400, .id = 3, .time = 0x0102030405060708, .seen_port = 6783};
  reply.seen_address[15] = std::byte{1};
  encode(reply, content);
  REQUIRE(decode_reply(content));
  CHECK(*decode_reply(content) == reply);
  CHECK(decode_probe(content).error == WireError::bad_type);
  CHECK(decode_reply(ConstBytes(content).first(reply_size - 1)).error == WireError::too_short);
}

HopKey hop_key(unsigned first) {
  HopKey key;
  key.mutable_bytes()[0] = std::byte(first);
  return key;
}

Buffer relayed() {
  Buffer datagram(relay_header_size);
  const Buffer packet = sealed_packet();
  datagram.insert(datagram.end(), packet.begin(), packet.end());
  encode(RelayHeader{.lane = 7, .hop_limit = 3, .hop_key_index = 8, .destination = 0xaa, .source = 0xbb},
         hop_key(1), datagram);
  return datagram;
}

TEST_CASE("a relay header comes back with a tag that only its key verifies") {
  const Buffer datagram = relayed();
  const auto header = decode_relay(datagram);
  REQUIRE(header);
  CHECK(*header ==
        RelayHeader{.lane = 7, .hop_limit = 3, .hop_key_index = 8, .destination = 0xaa, .source = 0xbb});
  CHECK(verify_hop_tag(hop_key(1), datagram));
  CHECK_FALSE(verify_hop_tag(hop_key(2), datagram));
}

TEST_CASE("the hop tag covers the relay header and the sealed header, and nothing else") {
  for (std::size_t at = 0; at < relayed().size(); ++at) {
    Buffer datagram = relayed();
    datagram[at] ^= std::byte{0x80};
    const bool covered = at < relay_header_size + sealed_header_size;
    CHECK(verify_hop_tag(hop_key(1), datagram) == !covered);
  }
}

TEST_CASE("a relayed packet is refused for each field out of range") {
  const auto with = [](std::size_t at, unsigned value) {
    Buffer datagram = relayed();
    datagram[at] = std::byte(value);
    return decode_relay(datagram).error;
  };
  CHECK(with(0, 1) == WireError::bad_type);
  CHECK(with(1, 6) == WireError::bad_field);   // not the lane of what it carries
  CHECK(with(2, 0) == WireError::bad_field);   // hop limit
  CHECK(with(3, 1) == WireError::bad_field);   // reserved
  CHECK(with(7, 0) == WireError::bad_field);   // key index
  CHECK(with(32, 2) == WireError::bad_field);  // a relayed packet in a relayed packet
  CHECK(decode_relay(ConstBytes(relayed()).first(relay_header_size + min_sealed_size - 1)).error ==
        WireError::too_short);
}

}  // namespace
}  // namespace weft
