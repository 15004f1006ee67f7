/// Names and numbers of network interfaces, which the text of a link-local address needs.
#pragma once

#include <cstdint>
#include <string>

namespace weft {

/// Opens what the look-ups below need; the sandbox allows it no more. Throws Failure.
void prepare_interface_lookup();

/// The number of an interface, 0 if there is none of that name.
std::uint32_t interface_index(const std::string& name) noexcept;

/// The name of an interface; its number in digits if there is none.
std::string interface_name(std::uint32_t index);

}  // namespace weft
