/// The Internet checksum, RFC 1071, and its incremental update, RFC 1624.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "packet/parse.h"

namespace weft {

/// Returns the ones' complement sum of big-endian 16-bit words (an odd last byte is padded with 0), not
/// folded.
std::uint64_t checksum_add(ConstBytes data, std::uint64_t sum = 0) noexcept;
/// Folds a sum to 16 bits without inverting it.
std::uint16_t checksum_fold(std::uint64_t sum) noexcept;
/// Folds and inverts a sum, which gives the checksum as it is in a header.
inline std::uint16_t checksum_finish(std::uint64_t sum) noexcept {
  return static_cast<std::uint16_t>(~checksum_fold(sum));
}

/// Returns the sum of the pseudo-header of the IP packet in `frame`, for a transport length in bytes.
/// `layers` is the result of `parse_frame`.
std::uint64_t pseudo_header_sum(ConstBytes frame, const Layers& layers,
                                std::uint32_t transport_length) noexcept;

/// Updates a checksum after one 16-bit word that it covers has changed.
std::uint16_t checksum_adjust(std::uint16_t checksum, std::uint16_t before, std::uint16_t after) noexcept;

/// Writes the IPv4 header checksum of the header at `network_offset`.
void write_ipv4_checksum(Bytes frame, std::uint32_t network_offset) noexcept;

/// Completes a partial checksum, for receivers that cannot take one. Both `start` and the checksum field must
/// be inside the frame.
void complete_checksum(Bytes frame, std::uint16_t start, std::uint16_t offset) noexcept;

}  // namespace weft
