#include "packet/flow_hash.h"

namespace weft {
namespace {

constexpr std::size_t ipv4_addresses_offset = 12;
constexpr std::size_t ipv4_addresses_size = 8;
constexpr std::size_t ipv6_addresses_offset = 8;
constexpr std::size_t ipv6_addresses_size = 32;

// One round of wyhash's mixing: both halves of the product depend on all bits of what came before.
std::uint64_t mix(std::uint64_t state, std::uint64_t value) noexcept {
  constexpr std::uint64_t odd = 0x9e3779b97f4a7c15;
  const auto product = static_cast<unsigned __int128>(state ^ odd) * (value ^ 0xe7037ed1a0b428db);
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

}  // namespace

std::uint32_t flow_hash(ConstBytes frame, const Layers& layers) noexcept {
  if (layers.network_offset == 0) return 0;
  const bool v6 = layers.ipv6();
  const std::byte* const addresses =
      frame.data() + layers.network_offset + (v6 ? ipv6_addresses_offset : ipv4_addresses_offset);
  std::uint64_t state = layers.protocol;
  for (std::size_t at = 0; at < (v6 ? ipv6_addresses_size : ipv4_addresses_size); at += 8)
    state = mix(state, load64(addresses + at));
  const bool has_ports = !layers.fragment && (layers.tcp() || layers.udp());
  if (has_ports) state = mix(state, load32(frame.data() + layers.transport_offset));
  return static_cast<std::uint32_t>(state >> 32 ^ state);
}

}  // namespace weft
