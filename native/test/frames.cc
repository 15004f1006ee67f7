#include "frames.h"

#include <algorithm>

namespace weft::test {
namespace {

void put8(Buffer& to, unsigned value) {
  to.push_back(std::byte(value & 0xff));
}
void put16(Buffer& to, std::size_t value) {
  put8(to, static_cast<unsigned>(value >> 8));
  put8(to, static_cast<unsigned>(value));
}
void put32(Buffer& to, std::uint32_t value) {
  put16(to, value >> 16);
  put16(to, value & 0xffff);
}

std::uint32_t plain_sum(ConstBytes data, std::uint32_t sum = 0) {
  for (std::size_t i = 0; i < data.size(); ++i) {
    sum += i % 2 == 0 ? std::uint32_t{load8(&data[i])} << 8 : load8(&data[i]);
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return sum;
}

struct Places {
  std::size_t network;
  std::size_t transport;
  std::size_t checksum;
};

Places places(ConstBytes frame) {
  const Layers layers = parse_frame(frame);
  return {layers.network_offset, layers.transport_offset,
          layers.transport_offset + (layers.protocol == protocol_tcp ? 16U : 6U)};
}

std::uint32_t pseudo_sum(ConstBytes frame) {
  const Layers layers = parse_frame(frame);
  const bool v4 = layers.ipv4();
  const auto length = static_cast<std::uint32_t>(layers.network_end - layers.transport_offset);
  return plain_sum(frame.subspan(layers.network_offset + (v4 ? 12U : 8U), v4 ? 8 : 32),
                   length + layers.protocol);
}

}  // namespace

Buffer make_frame(const FrameSpec& spec) {
  Buffer frame;
  for (const unsigned byte : {2U, 0U, 0U, 0U, 0U, 2U, 2U, 0U, 0U, 0U, 0U, 1U})
    put8(frame, byte);
  for (unsigned i = 0; i < spec.vlan_tags; ++i) {
    put16(frame, i + 1 < spec.vlan_tags ? 0x88a8 : 0x8100);
    put16(frame, 5 + i);
  }
  put16(frame, spec.ipv6 ? 0x86dd : 0x0800);

  const std::size_t network = frame.size();
  const std::size_t transport_size = (spec.udp ? 8 : 20 + spec.tcp_options) + spec.payload;
  const unsigned protocol = spec.udp ? 17 : 6;
  if (spec.ipv6) {
    put32(frame, 0x60012345);
    put16(frame, transport_size + spec.ip_options);
    put8(frame, spec.ip_options > 0 ? 0 : protocol);
    put8(frame, spec.time_to_live);
    for (const unsigned host : {1U, 2U}) {
      put16(frame, 0xfd00);
      for (int i = 0; i < 6; ++i)
        put16(frame, 0);
      put16(frame, host);
    }
    if (spec.ip_options > 0) {
      put8(frame, protocol);
      put8(frame, static_cast<unsigned>(spec.ip_options / 8 - 1));
      put8(frame, 1);  // PadN
      put8(frame, static_cast<unsigned>(spec.ip_options - 4));
      frame.resize(frame.size() + spec.ip_options - 4);
    }
  } else {
    put8(frame, static_cast<unsigned>(0x40 | (5 + spec.ip_options / 4)));
    put8(frame, 0);
    put16(frame, 20 + spec.ip_options + transport_size);
    put16(frame, spec.id);
    put16(frame, spec.dont_fragment ? 0x4000 : 0);
    put8(frame, spec.time_to_live);
    put8(frame, protocol);
    put16(frame, 0);
    put32(frame, 0x0a200001);
    put32(frame, 0x0a200002);
    frame.insert(frame.end(), spec.ip_options, std::byte{1});
    const std::uint32_t sum = plain_sum(ConstBytes(frame).subspan(network));
    store16(&frame[network + 10], static_cast<std::uint16_t>(~sum));
  }

  put16(frame, spec.source_port);
  put16(frame, 5201);
  if (spec.udp) {
    put16(frame, transport_size);
    put16(frame, 0);
  } else {
    put32(frame, spec.sequence);
    put32(frame, spec.acknowledgement);
    put8(frame, static_cast<unsigned>((5 + spec.tcp_options / 4) << 4));
    put8(frame, spec.tcp_flags);
    put16(frame, 502);
    put32(frame, 0);
    frame.insert(frame.end(), spec.tcp_options, std::byte{1});
  }
  for (std::size_t i = 0; i < spec.payload; ++i)
    put8(frame, static_cast<unsigned>(i * 7 + i / 256 + spec.payload_seed));

  const Places at = places(frame);
  const std::uint32_t pseudo = pseudo_sum(frame);
  store16(&frame[at.checksum], static_cast<std::uint16_t>(pseudo));
  if (spec.checksum == Checksum::complete) {
    const std::uint32_t sum = plain_sum(ConstBytes(frame).subspan(at.transport));
    store16(&frame[at.checksum], static_cast<std::uint16_t>(~sum));
  }
  return frame;
}

InnerFrame inner_of(const FrameSpec& spec, std::uint16_t network) {
  if (spec.checksum == Checksum::complete) return {.network = network};
  const Buffer frame = make_frame(spec);
  const Places at = places(frame);
  return {.partial_checksum = true,
          .network = network,
          .checksum_start = static_cast<std::uint16_t>(at.transport),
          .checksum_offset = static_cast<std::uint16_t>(at.checksum - at.transport)};
}

VnetHeader vnet_of(const FrameSpec& spec, std::uint16_t gso_size) {
  const InnerFrame inner = inner_of(spec);
  const auto tcp = spec.ipv6 ? VnetHeader::gso_tcp6 : VnetHeader::gso_tcp4;
  return {.flags = VnetHeader::needs_checksum,
          .gso_type = spec.udp ? VnetHeader::gso_udp : tcp,
          .header_size = static_cast<std::uint16_t>(parse_frame(make_frame(spec)).payload_offset),
          .gso_size = gso_size,
          .checksum_start = inner.checksum_start,
          .checksum_offset = inner.checksum_offset};
}

bool ip_checksum_right(ConstBytes frame) {
  const Layers layers = parse_frame(frame);
  if (!layers.ipv4()) return true;
  const std::size_t size = (load8(&frame[layers.network_offset]) & 0xfU) * 4U;
  return plain_sum(frame.subspan(layers.network_offset, size)) == 0xffff;
}

bool transport_checksum_right(ConstBytes frame, Checksum kind) {
  const Places at = places(frame);
  if (kind == Checksum::partial) return load16(&frame[at.checksum]) == pseudo_sum(frame);
  return plain_sum(frame.subspan(at.transport), pseudo_sum(frame)) == 0xffff;
}

Buffer random_bytes(std::mt19937& random, std::size_t size) {
  Buffer bytes(size);
  std::generate(bytes.begin(), bytes.end(), [&] { return std::byte(random() & 0xff); });
  return bytes;
}

}  // namespace weft::test
