/// ARP (RFC 826) and neighbour discovery (RFC 4861): requests for the MAC of an address, answers to them, and
/// the addresses that such frames claim.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>

#include "packet/address/ip_address.h"
#include "packet/parse.h"

namespace weft {

/// Largest frame that `build_neighbour_answer` makes.
inline constexpr std::size_t max_neighbour_answer = ethernet_header_size + 40 + 32;

/// Returns the address that a frame asks for, if it is an untagged ARP request or neighbour solicitation to a
/// group address from a host that has an address. Others must be forwarded: a host that checks whether an
/// address is free (RFC 5227, 4862) has no source address yet, and one that announces itself asks for its
/// own.
std::optional<IpAddress> neighbour_question(ConstBytes frame, const Layers& layers) noexcept;

/// Builds the answer to such a frame that the owner of the address, `mac`, would give, into `out`
/// (`max_neighbour_answer` bytes). Returns its size.
std::size_t build_neighbour_answer(ConstBytes question, const Layers& layers, const MacAddress& mac,
                                   Bytes out) noexcept;

/// The addresses that a frame binds to its sender's MAC for everybody who receives it.
class NeighbourClaims {
 public:
  void add(const IpAddress& address) noexcept { addresses_[count_++] = address; }
  [[nodiscard]] std::span<const IpAddress> all() const noexcept {
    return std::span(addresses_).first(count_);
  }

 private:
  std::array<IpAddress, 2> addresses_{};
  std::size_t count_ = 0;
};

/// Returns what an untagged ARP or neighbour discovery frame claims: the address of its sender, and the one
/// that it advertises. A probe for a free address claims nothing.
NeighbourClaims neighbour_claims(ConstBytes frame, const Layers& layers) noexcept;

/// Largest frame that `build_neighbour_announcement` makes.
inline constexpr std::size_t max_neighbour_announcement = max_neighbour_answer;

/// Builds an announcement to the whole segment that `address` is at `mac`: a gratuitous ARP request (RFC
/// 5227) or an unsolicited neighbour advertisement. `sender` is the source MAC of the frame. Returns its
/// size.
std::size_t build_neighbour_announcement(const IpAddress& address, const MacAddress& mac,
                                         const MacAddress& sender, Bytes out) noexcept;

}  // namespace weft
