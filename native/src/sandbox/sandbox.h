/// Takes from the process what it does not need to forward packets.
#pragma once

namespace weft {

/// Gives up all capabilities for good, new privileges, core dumps and being traced. Before threads
/// start. Works as root, as nobody, and as root of a user namespace. Throws Failure.
void drop_capabilities();

/// Allows all threads only the system calls that running needs; any other fails with EPERM. It is not
/// killed: whoever took over the process gets no further either way, while a C library that is newer than
/// this list must not cost the containers their network. False if the kernel has no seccomp.
[[nodiscard]] bool restrict_syscalls();

}  // namespace weft
