/// Raw sockets (packet(7)) on one interface, which take some of the frames that come in there.
#pragma once

#include <cstdint>
#include <string>

#include "base/fd.h"

namespace weft {

/// Opens a non-blocking socket that sends frames through the interface `name`, and reads those that come in
/// there with that EtherType and that number behind their Ethernet header. Needs CAP_NET_RAW. Throws Failure,
/// also when the interface is down.
Fd open_packet_socket(const std::string& name, std::uint16_t ethertype, std::uint64_t magic);

/// True if `fd` is a packet socket. It reads nothing that this host sends from now on.
bool ignore_outgoing(int fd) noexcept;

}  // namespace weft
