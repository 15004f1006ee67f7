/// Names and indexes of network interfaces, which the text of a link-local address needs.
#pragma once

#include <cstdint>
#include <string>

namespace weft {

/// Opens the socket that the look-ups below use; in the sandbox no other can be opened. Throws Failure.
void prepare_interface_lookup();

/// Returns the index of an interface, or 0 if there is none of that name.
std::uint32_t interface_index(const std::string& name) noexcept;

/// Returns the name of an interface, or its index in digits if there is no such interface.
std::string interface_name(std::uint32_t index);

}  // namespace weft
