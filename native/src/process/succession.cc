#include "process/succession.h"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>

#include "base/failure.h"
#include "base/fd.h"

namespace weft {
namespace {

constexpr int patience_ms = 10'000;
constexpr std::string_view prepared = "prepared\n";

}  // namespace

void succeed(pid_t predecessor) {
  const Fd process(static_cast<int>(::syscall(SYS_pidfd_open, predecessor, 0)));
  if (!process && errno != ESRCH)
    throw Failure::from_errno("cannot wait for the end of process " + std::to_string(predecessor));
  if (::write(STDOUT_FILENO, prepared.data(), prepared.size()) < 0)
    throw Failure::from_errno("cannot tell whoever started it that it is prepared");
  if (!process) return;
  pollfd waiting{process.get(), POLLIN, 0};
  const int ended = ::poll(&waiting, 1, patience_ms);
  if (ended < 0)
    throw Failure::from_errno("cannot wait for the end of process " + std::to_string(predecessor));
  if (ended == 0)
    throw Failure("the forwarder before it, process " + std::to_string(predecessor) + ", goes on");
}

}  // namespace weft
