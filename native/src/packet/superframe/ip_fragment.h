/// Fragments an IPv4 packet without DF, as a router does: RFC 791, 3.2.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "packet/parse.h"

namespace weft {

/// A plan for fragmenting one frame, of which it holds a view. The transport checksum must be complete,
/// because no fragment has all the bytes that are needed to complete it later.
class IpFragmenter {
 public:
  /// A fragment has at most `max_frame` bytes, Ethernet header included. Returns nothing if the frame is not
  /// IPv4, has DF or IP options, fits already, or leaves no room for 8 bytes of payload.
  static std::optional<IpFragmenter> plan(ConstBytes frame, const Layers& layers,
                                          std::size_t max_frame) noexcept;

  [[nodiscard]] std::size_t count() const noexcept { return (payload_.size() + piece_ - 1) / piece_; }
  /// Size of the frame that `write(index, …)` makes.
  [[nodiscard]] std::size_t size(std::size_t index) const noexcept;
  /// Writes one fragment as a whole frame. `out` has at least `size(index)` bytes.
  void write(std::size_t index, Bytes out) const noexcept;

 private:
  IpFragmenter(ConstBytes headers, ConstBytes payload, std::size_t network_offset, std::size_t piece) noexcept
      : headers_(headers), payload_(payload), network_offset_(network_offset), piece_(piece) {}

  ConstBytes headers_;  // Ethernet and IPv4
  ConstBytes payload_;
  std::size_t network_offset_;
  std::size_t piece_;  // payload of every fragment except the last, a multiple of 8
};

}  // namespace weft
