/// Questions for the MAC of an IP address, ARP (RFC 826) and neighbour solicitations (RFC 4861), and their
/// answers.
#pragma once

#include <cstddef>
#include <optional>

#include "packet/ip_address.h"
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

}  // namespace weft
