#include "packet/messages/loop_probe.h"

#include <algorithm>

namespace weft {
namespace {

constexpr std::uint16_t ethertype = 0x88b6;           // IEEE 802, local experimental 2
constexpr std::uint64_t magic = 0x77656674'6c6f6f70;  // "weftloop"
constexpr std::uint16_t version = 2;
constexpr std::uint16_t hail_version = 3;
constexpr std::size_t number_offset = 34;
static_assert(number_offset + sizeof(LoopNumber) <= loop_probe_size);

// What both have in common; the rest is zero.
void encode_start(PeerId router, std::uint16_t network, std::uint16_t kind, Bytes to) noexcept {
  std::fill(to.begin(), to.end(), std::byte{0});
  std::byte* at = to.data();
  std::fill_n(at, 6, std::byte{0xff});
  const MacAddress source = router_mac(router);
  std::copy(source.begin(), source.end(), at + 6);
  store16(at + 12, ethertype);
  store64(at + 14, magic);
  store16(at + 22, kind);
  store16(at + 24, network);
  store64(at + 26, router);
}

}  // namespace

MacAddress router_mac(PeerId router) noexcept {
  MacAddress mac;
  store16(mac.data(), static_cast<std::uint16_t>(router >> 32));
  store32(&mac[2], static_cast<std::uint32_t>(router));
  mac[0] = std::byte{2};  // unicast, locally administered
  return mac;
}

void encode(const LoopProbe& probe, Bytes to) noexcept {
  encode_start(probe.router, probe.network, version, to);
  std::copy(probe.number.begin(), probe.number.end(), to.data() + number_offset);
}

void encode(const Hail& hail, Bytes to) noexcept {
  encode_start(hail.router, hail.network, hail_version, to);
  store32(to.data() + number_offset, hail.number);
}

bool is_loop_probe(ConstBytes frame) noexcept {
  return frame.size() >= loop_probe_size && load16(frame.data() + 12) == ethertype &&
         load64(frame.data() + 14) == magic;
}

std::optional<LoopProbe> decode_loop_probe(ConstBytes frame) noexcept {
  const std::byte* at = frame.data();
  if (!is_loop_probe(frame) || load16(at + 22) != version) return std::nullopt;
  LoopProbe probe{load64(at + 26), load16(at + 24), {}};
  std::copy_n(at + number_offset, probe.number.size(), probe.number.begin());
  return probe;
}

std::optional<Hail> decode_hail(ConstBytes frame) noexcept {
  const std::byte* at = frame.data();
  if (!is_loop_probe(frame) || load16(at + 22) != hail_version) return std::nullopt;
  return Hail{load64(at + 26), load16(at + 24), load32(at + number_offset)};
}

}  // namespace weft
