/// Cuts a superframe of a TAP (TCP or UDP, virtio GSO) into the frames that travel.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "packet/parse.h"
#include "packet/superframe/vnet.h"

namespace weft {

/// A plan for cutting one superframe. Each segment gets the superframe's headers with lengths, IPv4 id and
/// checksum, TCP sequence number and flags put right. Transport checksums stay partial, for the length of the
/// segment.
class Segmenter {
 public:
  static constexpr std::size_t max_header_size = 256;
  /// 64 KiB cut by the smallest MSS that kernels send (48) are fewer.
  static constexpr std::size_t max_segments = 2048;

  /// `max_frame`: frames longer than this are avoided by cutting TCP smaller than the sender asked; UDP
  /// datagrams have borders and keep them. Nothing if the frame is not what its vnet header says (TCP or UDP
  /// over IPv4 or IPv6, unfragmented, with partial checksum, headers of at most `max_header_size`, room for
  /// payload).
  static std::optional<Segmenter> plan(Bytes superframe, const VnetHeader& vnet,
                                       std::size_t max_frame) noexcept;

  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  /// Bytes of segment `index`: all but the last are equal.
  [[nodiscard]] std::size_t size(std::size_t index) const noexcept { return header_size_ + payload(index); }
  /// Bytes of the headers in front of each segment's payload.
  [[nodiscard]] std::size_t header_size() const noexcept { return header_size_; }
  /// Where the partial checksum of each segment is, as in a vnet header.
  [[nodiscard]] std::uint16_t checksum_start() const noexcept { return checksum_start_; }
  [[nodiscard]] std::uint16_t checksum_offset() const noexcept { return checksum_offset_; }

  /// Writes segment `index` to `out`, which has at least `size(index)` bytes. Leaves the superframe alone.
  void write(std::size_t index, std::byte* out) const noexcept;

  /// Makes segment `index` inside the superframe's own memory: its headers are written right in front of its
  /// payload, over the end of the segment before. Nothing is copied but headers. Only once for each index, in
  /// ascending order; the bytes stand until the next call. A caller that wants to put its own bytes in front
  /// (an inner header) has at least `room` bytes there, provided the superframe itself has as many in front
  /// of it.
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
  std::uint64_t pseudo_sum_ = 0;  // without the length
  std::uint64_t ipv4_sum_ = 0;    // without length, id and checksum
};

}  // namespace weft
