#include "packet/superframe/segment.h"

#include <algorithm>

#include "packet/checksum.h"
#include "packet/tcp_udp.h"

namespace weft {
namespace {

bool is_what_it_says(const Layers& layers, const VnetHeader& vnet) noexcept {
  switch (vnet.gso_type & ~VnetHeader::gso_ecn) {
    case VnetHeader::gso_tcp4:
      return layers.ipv4() && layers.tcp();
    case VnetHeader::gso_tcp6:
      return layers.ipv6() && layers.tcp();
    case VnetHeader::gso_udp:
      return layers.udp();
    default:
      return false;
  }
}

}  // namespace

std::optional<Segmenter> Segmenter::plan(Bytes superframe, const VnetHeader& vnet,
                                         std::size_t max_frame) noexcept {
  const Layers layers = parse_frame(superframe);
  if (!is_what_it_says(layers, vnet) || layers.fragment) return std::nullopt;
  const std::uint16_t checksum_offset = layers.tcp() ? tcp::checksum : udp::checksum;
  const bool partial = (vnet.flags & VnetHeader::needs_checksum) != 0 &&
                       vnet.checksum_start == layers.transport_offset &&
                       vnet.checksum_offset == checksum_offset;
  const std::size_t header_size = layers.payload_offset;
  if (!partial || header_size > max_header_size || layers.network_end != superframe.size() ||
      superframe.size() == header_size || vnet.gso_size == 0) {
    return std::nullopt;
  }

  Segmenter plan;
  plan.gso_size_ = vnet.gso_size;
  if (layers.tcp()) {
    if (max_frame <= header_size) return std::nullopt;
    plan.gso_size_ = std::min(plan.gso_size_, max_frame - header_size);
  }
  plan.superframe_ = superframe;
  std::memcpy(plan.header_.data(), superframe.data(), header_size);
  plan.header_size_ = header_size;
  plan.payload_size_ = superframe.size() - header_size;
  plan.count_ = (plan.payload_size_ + plan.gso_size_ - 1) / plan.gso_size_;
  if (plan.count_ > max_segments) return std::nullopt;
  plan.network_offset_ = layers.network_offset;
  plan.ipv4_ = layers.ipv4();
  plan.tcp_ = layers.tcp();
  plan.checksum_start_ = vnet.checksum_start;
  plan.checksum_offset_ = checksum_offset;
  plan.pseudo_sum_ = pseudo_header_sum(superframe, layers, 0);
  if (plan.ipv4_) {
    std::byte* ip = plan.header_.data() + layers.network_offset;
    plan.first_id_ = load16(ip + ipv4::identification);
    store16(ip + ipv4::total_length, 0);
    store16(ip + ipv4::identification, 0);
    store16(ip + ipv4::checksum, 0);
    plan.ipv4_sum_ = checksum_add({ip, layers.transport_offset - layers.network_offset});
  }
  return plan;
}

std::size_t Segmenter::payload(std::size_t index) const noexcept {
  return std::min(gso_size_, payload_size_ - index * gso_size_);
}

void Segmenter::write_header(std::size_t index, std::byte* to) const noexcept {
  std::memcpy(to, header_.data(), header_size_);
  std::byte* ip = to + network_offset_;
  std::byte* transport = to + checksum_start_;
  const std::size_t size = header_size_ + payload(index);
  const auto transport_size = static_cast<std::uint16_t>(size - checksum_start_);
  if (ipv4_) {
    const auto total = static_cast<std::uint16_t>(size - network_offset_);
    const auto id = static_cast<std::uint16_t>(first_id_ + index);
    store16(ip + ipv4::total_length, total);
    store16(ip + ipv4::identification, id);
    store16(ip + ipv4::checksum, checksum_finish(ipv4_sum_ + total + id));
  } else {
    store16(ip + ipv6::payload_length, static_cast<std::uint16_t>(size - network_offset_ - ipv6::header));
  }
  if (tcp_) {
    const auto advance = static_cast<std::uint32_t>(index * gso_size_);
    store32(transport + tcp::sequence, load32(transport + tcp::sequence) + advance);
    std::uint8_t flags = load8(transport + tcp::flags);
    if (index > 0) flags &= static_cast<std::uint8_t>(~tcp::congestion_window_reduced);
    if (index + 1 < count_) flags &= static_cast<std::uint8_t>(~(tcp::fin | tcp::push));
    store8(transport + tcp::flags, flags);
  } else {
    store16(transport + udp::length, transport_size);
  }
  store16(transport + checksum_offset_, checksum_fold(pseudo_sum_ + transport_size));
}

void Segmenter::write(std::size_t index, std::byte* out) const noexcept {
  write_header(index, out);
  std::memcpy(out + header_size_, superframe_.data() + header_size_ + index * gso_size_, payload(index));
}

Bytes Segmenter::carve(std::size_t index) noexcept {
  std::byte* at = superframe_.data() + index * gso_size_;
  write_header(index, at);
  return {at, size(index)};
}

}  // namespace weft
