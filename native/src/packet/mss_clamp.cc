#include "packet/mss_clamp.h"

#include "packet/checksum.h"
#include "packet/tcp_udp.h"

namespace weft {
namespace {

constexpr std::uint8_t option_end = 0;
constexpr std::uint8_t option_nop = 1;
constexpr std::uint8_t option_mss = 2;
constexpr std::size_t option_mss_size = 4;

/// Returns the offset of the MSS value in the frame, or 0 if there is none.
std::size_t find_mss(ConstBytes frame, const Layers& layers) noexcept {
  std::size_t at = layers.transport_offset + tcp::min_header;
  while (at + 1 < layers.payload_offset) {
    const std::uint8_t kind = load8(frame.data() + at);
    if (kind == option_end) break;
    if (kind == option_nop) {
      ++at;
      continue;
    }
    const std::size_t size = load8(frame.data() + at + 1);
    if (size < 2 || at + size > layers.payload_offset) break;
    if (kind == option_mss && size == option_mss_size) return at + 2;
    at += size;
  }
  return 0;
}

std::uint16_t swapped(std::uint16_t value) noexcept {
  return __builtin_bswap16(value);
}

}  // namespace

bool clamp_mss(Bytes frame, const Layers& layers, std::size_t mtu, bool partial) noexcept {
  if (!layers.tcp()) return false;
  std::byte* transport = frame.data() + layers.transport_offset;
  if ((load8(transport + tcp::flags) & tcp::syn) == 0) return false;
  // The MSS counts neither IP nor TCP options (RFC 6691).
  const std::size_t headers = (layers.ipv4() ? ipv4::min_header : ipv6::header) + tcp::min_header;
  if (mtu <= headers) return false;
  const std::size_t at = find_mss(frame, layers);
  if (at == 0) return false;
  const std::uint16_t before = load16(frame.data() + at);
  if (before <= mtu - headers) return false;

  const auto after = static_cast<std::uint16_t>(mtu - headers);
  store16(frame.data() + at, after);
  if (!partial) {
    // At an odd offset the value spans two words of the sum, in which its two bytes have exchanged places, so
    // the update needs the swapped values.
    const bool odd = (at - layers.transport_offset) % 2 != 0;
    const std::uint16_t checksum = load16(transport + tcp::checksum);
    store16(transport + tcp::checksum,
            checksum_adjust(checksum, odd ? swapped(before) : before, odd ? swapped(after) : after));
  }
  return true;
}

}  // namespace weft
