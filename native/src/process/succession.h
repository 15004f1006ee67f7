/// One forwarder taking the place of another one.
#pragma once

#include <sys/types.h>

namespace weft {

/// Says `prepared` on standard output, and waits for the end of that forwarder, which has the port and the
/// control socket. What takes long is to be done before: nobody forwards from its end on. Throws Failure when
/// it does not end within 10 s.
void succeed(pid_t predecessor);

}  // namespace weft
