#include "packet/superframe/ip_fragment.h"

#include <algorithm>

#include "packet/checksum.h"
#include "packet/tcp_udp.h"

namespace weft {
namespace {

constexpr std::uint8_t version_4_without_options = 0x45;
constexpr std::uint16_t more_fragments = 0x2000;
constexpr std::size_t offset_unit = 8;

}  // namespace

std::optional<IpFragmenter> IpFragmenter::plan(ConstBytes frame, const Layers& layers,
                                               std::size_t max_frame) noexcept {
  if (!layers.ipv4() || layers.network_end <= max_frame) return std::nullopt;
  const std::byte* ip = frame.data() + layers.network_offset;
  const bool may = (load16(ip + ipv4::fragmentation) & ipv4::dont_fragment) == 0;
  if (!may || load8(ip) != version_4_without_options) return std::nullopt;
  const std::size_t headers = layers.network_offset + ipv4::min_header;
  if (max_frame < headers + offset_unit) return std::nullopt;
  const std::size_t piece = (max_frame - headers) / offset_unit * offset_unit;
  return IpFragmenter(frame.first(headers), frame.subspan(headers, layers.network_end - headers),
                      layers.network_offset, piece);
}

std::size_t IpFragmenter::size(std::size_t index) const noexcept {
  return headers_.size() + std::min(piece_, payload_.size() - index * piece_);
}

void IpFragmenter::write(std::size_t index, Bytes out) const noexcept {
  const std::size_t at = index * piece_;
  const ConstBytes payload = payload_.subspan(at, size(index) - headers_.size());
  std::memcpy(out.data(), headers_.data(), headers_.size());
  std::memcpy(out.data() + headers_.size(), payload.data(), payload.size());

  std::byte* ip = out.data() + network_offset_;
  // The packet may be a fragment itself: offsets continue from its own, and MF is cleared only in its last
  // piece if it was clear before.
  const std::uint16_t field = load16(ip + ipv4::fragmentation);
  const bool last = at + payload.size() == payload_.size();
  store16(ip + ipv4::total_length, static_cast<std::uint16_t>(ipv4::min_header + payload.size()));
  store16(ip + ipv4::fragmentation,
          static_cast<std::uint16_t>((field + at / offset_unit) | (last ? 0 : more_fragments)));
  write_ipv4_checksum(out, static_cast<std::uint32_t>(network_offset_));
}

}  // namespace weft
