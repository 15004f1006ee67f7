/// Multi-queue TAP devices with a vnet header in front of each frame.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/fd.h"

namespace weft {

/// Which superframes and checksums the kernel may leave to us on a TAP.
struct TapOffloads {
  bool checksum = false;
  bool tso = false;  ///< TCP over IPv4 and IPv6; needs checksum
  bool uso = false;  ///< UDP, from Linux 6.2; needs checksum
};

/// Creates the persistent TAP `name` if it is absent and opens `queues` queues of it, non-blocking. Needs
/// CAP_NET_ADMIN. Throws Failure.
std::vector<Fd> open_tap(const std::string& name, unsigned queues);

/// Tells the kernel what it may leave to us; all queues of a device share the setting. False if it refuses.
[[nodiscard]] bool set_tap_offloads(int queue, TapOffloads offloads) noexcept;

/// True if `fd` is a queue of the TAP device `name`, with the flags that the workers need.
bool is_tap_queue(int fd, const std::string& name) noexcept;

}  // namespace weft
