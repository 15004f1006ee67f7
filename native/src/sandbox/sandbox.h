/// Takes from the process what it does not need to forward packets.
#pragma once

#include <sys/types.h>

#include <string>

namespace weft {

/// User and group of a running forwarder ("weft" in ASCII). No account has it: it is above what
/// distributions, systemd and container engines give out, so that nothing else on the host is this user's.
inline constexpr uid_t nobodys_id = 0x77656674;

/// Gives up root's user id and groups, the file system (its root is an empty directory from now on, made in
/// `directory` and removed again), all capabilities for good, new privileges, core dumps and being traced.
/// Before threads start. Works as root, as nobody, and as root of a user namespace. Returns what the system
/// did not let it give up, in words; empty: nothing. Throws Failure if capabilities or privileges remain.
[[nodiscard]] std::string drop_privileges(const std::string& directory);

/// Allows all threads only the system calls that running needs; any other fails with EPERM. It is not
/// killed: whoever took over the process gets no further either way, while a C library that is newer than
/// this list must not cost the containers their network. False if the kernel has no seccomp.
[[nodiscard]] bool restrict_syscalls();

}  // namespace weft
