/// The stream socket that the daemon and `open-tap` talk to, and descriptors passed over it.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/fd.h"

namespace weft {

/// Most descriptors that one message may carry (the kernel's own limit is 253).
inline constexpr std::size_t max_passed_fds = 64;

/// Listens on `path`, readable by the owner only. A socket that nobody listens on any more is replaced;
/// throws Failure if somebody does.
Fd listen_unix(const std::string& path);

/// A blocking connection. Throws Failure.
Fd connect_unix(const std::string& path);

/// Sends `text` and the descriptors with its first byte. Blocking; throws Failure.
void send_with_fds(int socket, const std::string& text, std::span<const Fd> fds);

/// Reads without blocking; descriptors that came along are appended to `fds`. As recvmsg: bytes, 0 at the
/// end, or -1 with errno.
ssize_t receive_with_fds(int socket, Bytes buffer, std::vector<Fd>& fds) noexcept;

}  // namespace weft
