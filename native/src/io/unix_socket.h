/// The stream socket on which the daemon and `open-tap` talk to the forwarder, and the descriptors passed
/// over it.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/fd.h"

namespace weft {

/// Maximum number of descriptors in one message. The kernel's own limit is 253.
inline constexpr std::size_t max_passed_fds = 64;

/// Listens on `path`, which only the owner may access. Replaces a socket on which nobody listens any more;
/// throws Failure if somebody does.
Fd listen_unix(const std::string& path);

/// Opens a blocking connection. Throws Failure.
Fd connect_unix(const std::string& path);

/// Sends `text` with the descriptors attached to its first byte. Blocks; throws Failure.
void send_with_fds(int socket, const std::string& text, std::span<const Fd> fds);

/// Reads without blocking and appends received descriptors to `fds`. Returns what recvmsg does: the number of
/// bytes, 0 at the end, or -1 with errno set.
ssize_t receive_with_fds(int socket, Bytes buffer, std::vector<Fd>& fds) noexcept;

}  // namespace weft
