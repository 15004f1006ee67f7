/// Multi-queue TAP devices with a vnet header in front of each frame.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/fd.h"

namespace weft {

/// What the kernel may leave to the reader of a TAP: superframes that are not segmented, and checksums that
/// are not complete.
struct TapOffloads {
  bool checksum = false;
  bool tso = false;  ///< TCP over IPv4 and IPv6; needs checksum
  bool uso = false;  ///< UDP, from Linux 6.2; needs checksum
};

/// Creates the persistent TAP `name` if it does not exist, and opens `queues` non-blocking queues of it.
/// Needs CAP_NET_ADMIN. Throws Failure.
std::vector<Fd> open_tap(const std::string& name, unsigned queues);

/// Sets the offloads of a TAP, which all its queues share. Returns false if the kernel refuses them.
[[nodiscard]] bool set_tap_offloads(int queue, TapOffloads offloads) noexcept;

/// True if `fd` is a queue of the TAP device `name`, with the flags that the workers need.
bool is_tap_queue(int fd, const std::string& name) noexcept;

}  // namespace weft
