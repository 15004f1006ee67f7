/// The frame that carries a sealed message over the kernel's datapath: docs/protocol.md 2.11.
#pragma once

#include <cstddef>
#include <cstdint>

#include "packet/parse.h"
#include "wire/header.h"

namespace weft {

inline constexpr std::uint16_t kernel_probe_ethertype = 0x88b5;           // IEEE 802, local experimental 1
inline constexpr std::uint64_t kernel_probe_magic = 0x77656674'6b726e6c;  // "weftkrnl"

/// Bytes in front of the sealed packet.
inline constexpr std::size_t kernel_probe_header_size = ethernet_header_size + sizeof kernel_probe_magic;

/// Writes what precedes the sealed packet. `frame` has at least that many bytes.
void encode_kernel_probe(const MacAddress& destination, const MacAddress& source, Bytes frame) noexcept;
/// True if a sealed packet may follow.
bool is_kernel_probe(ConstBytes frame) noexcept;

}  // namespace weft
