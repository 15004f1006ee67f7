/// Segments a superframe of a TAP (TCP or UDP, virtio GSO) into the frames to be sent.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "packet/parse.h"
#include "packet/superframe/vnet.h"

namespace weft {

/// A plan for segmenting one superframe. Each segment has the headers of the superframe, with the lengths,
/// the IPv4 id and checksum, and the TCP sequence number and flags updated. Transport checksums stay partial,
/// for the length of the segment.
class Segmenter {
 public:
  static constexpr std::size_t max_header_size = 256;
  /// A superframe of 64 KiB has fewer segments than this even at the smallest MSS that kernels send (48).
  static constexpr std::size_t max_segments = 2048;

  /// TCP is cut into smaller segments than the sender asked for where frames would otherwise be longer than
  /// `max_frame`; UDP datagrams keep their boundaries. Returns nothing if the frame is not what its vnet
  /// header says: TCP or UDP over IPv4 or IPv6, unfragmented, with a partial checksum, headers of at most
  /// `max_header_size`, and a payload.
  static std::optional<Segmenter> plan(Bytes superframe, const VnetHeader& vnet,
                                       std::size_t max_frame) noexcept;

  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  /// Size of segment `index`. All but the last are of equal size.
  [[nodiscard]] std::size_t size(std::size_t index) const noexcept { return header_size_ + payload(index); }
  /// Size of the headers in front of the payload of each segment.
  [[nodiscard]] std::size_t header_size() const noexcept { return header_size_; }
  /// Position of the partial checksum in each segment, as in a vnet header.
  [[nodiscard]] std::uint16_t checksum_start() const noexcept { return checksum_start_; }
  [[nodiscard]] std::uint16_t checksum_offset() const noexcept { return checksum_offset_; }

  /// Writes segment `index` to `out`, which has at least `size(index)` bytes. Does not change the superframe.
  void write(std::size_t index, std::byte* out) const noexcept;

  /// Builds segment `index` inside the memory of the superframe: its headers are written in front of its
  /// payload, over the end of the segment before, so that only headers are copied. Must be called at most
  /// once for each index, in ascending order; the result is valid until the next call. In front of it are at
  /// least `room` bytes that the caller may overwrite (with an inner header), provided that the superframe
  /// has as many in front of it.
  [[nodiscard]] Bytes carve(std::size_t index) noexcept;

 private:
  Segmenter() = default;
  [[nodiscard]] std::size_t payload(std::size_t index) const noexcept;
  void write_header(std::size_t index, std::byte* to) const noexcept;

  Bytes superframe_;
  std::array<std::byte, max_header_size> header_;
  std::size_t header_size_ = 0;
  std::size_t payload_size_ = 0;
  std::size_t gso_size_ = 0;
  std::size_t count_ = 0;
  std::uint32_t network_offset_ = 0;
  bool ipv4_ = false;
  bool tcp_ = false;
  std::uint16_t first_id_ = 0;
  std::uint16_t checksum_start_ = 0;
  std::uint16_t checksum_offset_ = 0;
  std::uint64_t pseudo_sum_ = 0;  // sum of the pseudo-header without the length
  std::uint64_t ipv4_sum_ = 0;    // sum of the IPv4 header without length, id and checksum
};

}  // namespace weft
