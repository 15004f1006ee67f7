#include "packet/superframe/coalesce.h"

#include <bit>

#include "packet/checksum.h"
#include "packet/tcp_udp.h"

namespace weft {
namespace {

constexpr std::size_t max_network_size = 65535;

// UDP datagrams that fit one frame together are not coalesced, because readers of raw packets would take the
// result for a single datagram, and because there are too few of them to matter. A packet longer than the MTU
// is recognisable as a superframe.
constexpr std::size_t ethernet_mtu = 1500;

iovec part(void* data, std::size_t size) noexcept {
  return {.iov_base = data, .iov_len = size};
}

bool same_bytes(const std::byte* a, const std::byte* b, std::size_t from, std::size_t to) noexcept {
  return std::memcmp(a + from, b + from, to - from) == 0;
}

/// True if the IP headers are equal except for length, identification and checksum.
bool same_network_header(const std::byte* a, const std::byte* b, const Layers& layers) noexcept {
  const std::size_t size = layers.transport_offset - layers.network_offset;
  a += layers.network_offset;
  b += layers.network_offset;
  if (layers.ipv4()) {
    return same_bytes(a, b, ipv4::source, size) && same_bytes(a, b, 0, ipv4::total_length) &&
           same_bytes(a, b, ipv4::fragmentation, ipv4::checksum);
  }
  return same_bytes(a, b, ipv6::next_header, size) && same_bytes(a, b, 0, ipv6::payload_length);
}

/// True if the TCP headers are equal except for sequence number, checksum and PSH.
bool same_tcp_header(const std::byte* a, const std::byte* b, const Layers& layers) noexcept {
  const std::size_t size = layers.payload_offset - layers.transport_offset;
  a += layers.transport_offset;
  b += layers.transport_offset;
  const auto flags_differ = load8(a + tcp::flags) ^ load8(b + tcp::flags);
  return same_bytes(a, b, 0, tcp::sequence) && same_bytes(a, b, tcp::acknowledgement, tcp::flags) &&
         (flags_differ & ~tcp::push) == 0 && same_bytes(a, b, tcp::window, tcp::checksum) &&
         same_bytes(a, b, tcp::urgent, size);
}

bool pushes(const std::byte* frame, const Layers& layers) noexcept {
  return (load8(frame + layers.transport_offset + tcp::flags) & tcp::push) != 0;
}

/// Returns the length that the IP header declares, header included.
std::size_t declared_size(const std::byte* frame, const Layers& layers) noexcept {
  const std::byte* ip = frame + layers.network_offset;
  return layers.ipv4() ? load16(ip + ipv4::total_length) : ipv6::header + load16(ip + ipv6::payload_length);
}

/// True if both frames have the same addresses and ports, so that their order matters.
bool same_flow(const std::byte* a, const Layers& of_a, const std::byte* b, const Layers& of_b) noexcept {
  if (of_a.ethertype != of_b.ethertype || of_a.protocol != of_b.protocol) return false;
  const std::size_t addresses = of_a.ipv4() ? ipv4::source : ipv6::source;
  const std::size_t addresses_size = of_a.ipv4() ? 8 : 32;
  return std::memcmp(a + of_a.transport_offset, b + of_b.transport_offset, 4) == 0 &&
         std::memcmp(a + of_a.network_offset + addresses, b + of_b.network_offset + addresses,
                     addresses_size) == 0;
}

}  // namespace

void Coalescer::add(const InnerFrame& inner, Bytes frame) {
  if (inner.partial_checksum) {
    if ((active_ >> latest_ & 1U) != 0 && join(flows_[latest_], inner, frame)) return;
    for (std::uint32_t left = active_ & ~(1U << latest_); left != 0; left &= left - 1) {
      const auto slot = static_cast<unsigned>(std::countr_zero(left));
      if (!join(flows_[slot], inner, frame)) continue;
      latest_ = slot;
      return;
    }
  }
  const Layers layers = parse_frame(frame);
  if (layers.tcp() || layers.udp()) {
    for (std::uint32_t left = active_; left != 0; left &= left - 1) {
      const auto slot = static_cast<unsigned>(std::countr_zero(left));
      const Flow& flow = flows_[slot];
      if (flow.network == inner.network && same_flow(flow.first.data(), flow.layers, frame.data(), layers)) {
        finish(slot);
      }
    }
  }
  if (may_start(inner, frame, layers)) {
    start(inner, frame, layers);
  } else {
    write_alone(inner, frame);
  }
}

void Coalescer::begin(CoalesceOptions options, Micros now) noexcept {
  options_ = options;
  const Micros passed = now - window_began_;
  if (passed < bulk_window) return;
  bulk_ = datagrams_ >= bulk_datagrams && passed < 2 * bulk_window;
  window_began_ = now;
  datagrams_ = 0;
}

void Coalescer::flush() {
  for (; active_ != 0;)
    finish(static_cast<unsigned>(std::countr_zero(active_)));
}

/// The headers are compared byte for byte with those of the first frame and need not be parsed: equal header
/// lengths and equal protocols put the layers at equal offsets.
bool Coalescer::join(Flow& flow, const InnerFrame& inner, Bytes frame) {
  const Layers& layers = flow.layers;
  const std::byte* first = flow.first.data();
  const std::byte* next = frame.data();
  if (frame.size() <= layers.payload_offset || inner.network != flow.network ||
      inner.checksum_start != flow.vnet.checksum_start ||
      inner.checksum_offset != flow.vnet.checksum_offset) {
    return false;
  }
  const std::size_t payload = frame.size() - layers.payload_offset;
  if (payload > flow.segment_payload || flow.network_size + payload > max_network_size ||
      flow.frames == max_segments) {
    return false;
  }
  if (!same_network_header(first, next, layers) ||
      declared_size(next, layers) != frame.size() - layers.network_offset ||
      !same_bytes(first, next, 0, layers.network_offset)) {
    return false;
  }

  bool fixed_id = false;
  if (layers.ipv4()) {
    const std::byte* first_ip = first + layers.network_offset;
    const std::uint16_t first_id = load16(first_ip + ipv4::identification);
    const std::uint16_t id = load16(next + layers.network_offset + ipv4::identification);
    const bool unfragmentable = (load16(first_ip + ipv4::fragmentation) & ipv4::dont_fragment) != 0;
    // With DF set the id has no meaning (RFC 6864), and senders either increment it or leave it unchanged.
    fixed_id = unfragmentable && id == first_id;
    if (!fixed_id && id != static_cast<std::uint16_t>(first_id + flow.frames)) return false;
    if (flow.frames > 1 && fixed_id != flow.fixed_id) return false;
  }
  bool push = false;
  if (layers.tcp()) {
    const std::uint32_t expected = load32(first + layers.transport_offset + tcp::sequence) +
                                   static_cast<std::uint32_t>(flow.frames * flow.segment_payload);
    if (load32(next + layers.transport_offset + tcp::sequence) != expected ||
        !same_tcp_header(first, next, layers)) {
      return false;
    }
    push = pushes(next, layers);
  } else {
    const std::byte* transport = next + layers.transport_offset;
    if (!same_bytes(first + layers.transport_offset, transport, 0, udp::length) ||
        load16(transport + udp::length) != udp::header + payload) {
      return false;
    }
  }

  flow.fixed_id = fixed_id;
  flow.push = push;
  flow.parts[1 + flow.frames] = part(frame.data() + layers.payload_offset, payload);
  ++flow.frames;
  flow.network_size += payload;
  // Only the last segment may be short, and after PSH the receiver should not wait.
  if (push || payload < flow.segment_payload) finish(static_cast<unsigned>(&flow - flows_.data()));
  return true;
}

bool Coalescer::may_start(const InnerFrame& inner, Bytes frame, const Layers& layers) const noexcept {
  const bool wanted = (layers.tcp() && options_.tcp) || (layers.udp() && options_.udp);
  if (!wanted || !inner.partial_checksum || layers.fragment ||
      inner.checksum_start != layers.transport_offset || layers.network_end != frame.size() ||
      layers.payload_offset == frame.size()) {
    return false;
  }
  const std::byte* transport = frame.data() + layers.transport_offset;
  if (layers.tcp()) {
    return inner.checksum_offset == tcp::checksum && load8(transport + tcp::flags) == tcp::ack;
  }
  return inner.checksum_offset == udp::checksum &&
         load16(transport + udp::length) == frame.size() - layers.transport_offset;
}

void Coalescer::start(const InnerFrame& inner, Bytes frame, const Layers& layers) {
  constexpr std::uint32_t all = (1U << max_flows) - 1;
  if (active_ == all) {
    finish(victim_);
    victim_ = (victim_ + 1) % max_flows;
  }
  latest_ = static_cast<unsigned>(std::countr_one(active_));
  active_ |= 1U << latest_;
  Flow& flow = flows_[latest_];
  flow.network = inner.network;
  flow.first = frame;
  flow.layers = layers;
  flow.segment_payload = frame.size() - layers.payload_offset;
  flow.network_size = frame.size() - layers.network_offset;
  flow.frames = 1;
  flow.fixed_id = false;
  flow.push = false;
  flow.vnet = {.flags = VnetHeader::needs_checksum,
               .checksum_start = inner.checksum_start,
               .checksum_offset = inner.checksum_offset};
  flow.parts[0] = part(&flow.vnet, sizeof flow.vnet);
  flow.parts[1] = part(frame.data(), frame.size());
}

void Coalescer::finish(unsigned slot) {
  Flow& flow = flows_[slot];
  active_ &= ~(1U << slot);
  if (flow.layers.udp()) datagrams_ += flow.frames;
  const bool apart = flow.layers.udp() && flow.network_size <= ethernet_mtu && !bulk_;
  if (flow.frames == 1 || apart)
    write_apart(flow);
  else
    write_joined(flow);
}

void Coalescer::write_joined(Flow& flow) {
  const Layers& layers = flow.layers;
  std::byte* ip = flow.first.data() + layers.network_offset;
  std::byte* transport = flow.first.data() + layers.transport_offset;
  const std::size_t transport_size = flow.network_size - (layers.transport_offset - layers.network_offset);
  if (layers.ipv4()) {
    store16(ip + ipv4::total_length, static_cast<std::uint16_t>(flow.network_size));
    write_ipv4_checksum(flow.first, layers.network_offset);
  } else {
    store16(ip + ipv6::payload_length, static_cast<std::uint16_t>(flow.network_size - ipv6::header));
  }
  if (layers.tcp()) {
    flow.vnet.gso_type = layers.ipv4() ? VnetHeader::gso_tcp4 : VnetHeader::gso_tcp6;
    if (flow.push) store8(transport + tcp::flags, tcp::ack | tcp::push);
  } else {
    flow.vnet.gso_type = VnetHeader::gso_udp;
    store16(transport + udp::length, static_cast<std::uint16_t>(transport_size));
  }
  store16(transport + flow.vnet.checksum_offset,
          checksum_fold(pseudo_header_sum(flow.first, layers, static_cast<std::uint32_t>(transport_size))));
  flow.vnet.header_size = static_cast<std::uint16_t>(layers.payload_offset);
  flow.vnet.gso_size = static_cast<std::uint16_t>(flow.segment_payload);
  sink_.write_frame(flow.network, std::span(flow.parts).first(1 + flow.frames), flow.frames);
}

/// The frames are still unchanged: the headers of each are in front of its payload.
void Coalescer::write_apart(const Flow& flow) {
  const InnerFrame inner{.partial_checksum = true,
                         .network = flow.network,
                         .checksum_start = flow.vnet.checksum_start,
                         .checksum_offset = flow.vnet.checksum_offset};
  write_alone(inner, flow.first);
  const std::size_t headers = flow.layers.payload_offset;
  for (const iovec& payload : std::span(flow.parts).subspan(2, flow.frames - 1))
    write_alone(inner, {static_cast<std::byte*>(payload.iov_base) - headers, headers + payload.iov_len});
}

void Coalescer::write_alone(const InnerFrame& inner, Bytes frame) {
  if (inner.partial_checksum) complete_checksum(frame, inner.checksum_start, inner.checksum_offset);
  VnetHeader vnet;
  const std::array parts{part(&vnet, sizeof vnet), part(frame.data(), frame.size())};
  sink_.write_frame(inner.network, parts, 1);
}

}  // namespace weft
