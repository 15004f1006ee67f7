/// Questions for the MAC of an IP address, ARP (RFC 826) and neighbour discovery (RFC 4861), their answers,
/// and what they claim.
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

/// The address that a frame asks for, if it is an untagged ARP request or neighbour solicitation to a group,
/// from somebody who has an address. Others must travel: a host that looks whether its own address is free
/// (RFC 5227, 4862) asks from none, one that announces itself asks for its own.
std::optional<IpAddress> neighbour_question(ConstBytes frame, const Layers& layers) noexcept;

/// Builds the answer that the owner of the address, `mac`, would give to such a frame, into `out`
/// (`max_neighbour_answer` bytes). Returns its size.
std::size_t build_neighbour_answer(ConstBytes question, const Layers& layers, const MacAddress& mac,
                                   Bytes out) noexcept;

/// The addresses whose place a frame tells everybody who hears it.
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

/// What an untagged ARP or neighbour discovery frame claims: its sender's address, and what it advertises. A
/// probe whether an address is free claims nothing.
NeighbourClaims neighbour_claims(ConstBytes frame, const Layers& layers) noexcept;

/// Largest frame that `build_neighbour_announcement` makes.
inline constexpr std::size_t max_neighbour_announcement = max_neighbour_answer;

/// Builds what tells a whole segment that `address` is at `mac`: a gratuitous ARP request (RFC 5227) or an
/// unsolicited neighbour advertisement. `sender` is whoever says so. Returns its size.
std::size_t build_neighbour_announcement(const IpAddress& address, const MacAddress& mac,
                                         const MacAddress& sender, Bytes out) noexcept;

}  // namespace weft
