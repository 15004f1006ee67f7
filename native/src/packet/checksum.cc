#include "packet/checksum.h"

namespace weft {
namespace {

constexpr std::size_t ipv4_checksum_offset = 10;
constexpr std::uint16_t udp_checksum_offset = 6;

}  // namespace

std::uint64_t checksum_add(ConstBytes data, std::uint64_t sum) noexcept {
  // The sum does not depend on the byte order (RFC 1071, 2): words are added in the order of the CPU, and the
  // result is swapped once.
  std::uint64_t native = 0;
  const std::byte* at = data.data();
  std::size_t left = data.size();
  for (; left >= 4; left -= 4, at += 4) {
    std::uint32_t word = 0;
    std::memcpy(&word, at, sizeof word);
    native += word;
  }
  std::uint32_t last = 0;
  std::memcpy(&last, at, left);
  return sum + __builtin_bswap16(checksum_fold(native + last));
}

std::uint16_t checksum_fold(std::uint64_t sum) noexcept {
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

std::uint64_t pseudo_header_sum(ConstBytes frame, const Layers& layers,
                                std::uint32_t transport_length) noexcept {
  const bool ipv4 = layers.ipv4();
  const std::size_t addresses = layers.network_offset + (ipv4 ? 12U : 8U);
  return checksum_add(frame.subspan(addresses, ipv4 ? 8 : 32),
                      std::uint64_t{layers.protocol} + transport_length);
}

std::uint16_t checksum_adjust(std::uint16_t checksum, std::uint16_t before, std::uint16_t after) noexcept {
  // This is equation 3 of RFC 1624.
  const auto inverted = static_cast<std::uint16_t>(~checksum);
  const auto removed = static_cast<std::uint16_t>(~before);
  return checksum_finish(std::uint64_t{inverted} + removed + after);
}

void write_ipv4_checksum(Bytes frame, std::uint32_t network_offset) noexcept {
  std::byte* ip = frame.data() + network_offset;
  store16(ip + ipv4_checksum_offset, 0);
  const std::size_t header = static_cast<std::size_t>(load8(ip) & 0x0f) * 4;
  store16(ip + ipv4_checksum_offset, checksum_finish(checksum_add({ip, header})));
}

void complete_checksum(Bytes frame, std::uint16_t start, std::uint16_t offset) noexcept {
  // The checksum field holds the sum of the pseudo-header, so it is summed with the rest.
  std::uint16_t checksum = checksum_finish(checksum_add(frame.subspan(start)));
  // In UDP a checksum of 0 means "no checksum", so a computed 0 is sent as its ones' complement equal 0xffff
  // (RFC 768).
  if (checksum == 0 && offset == udp_checksum_offset) checksum = 0xffff;
  store16(frame.data() + start + offset, checksum);
}

}  // namespace weft
