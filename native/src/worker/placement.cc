#include "worker/placement.h"

#include <sched.h>
#include <sys/resource.h>

namespace weft {
namespace {

// Half-way to the most that setpriority(2) gives: applications that use all CPUs leave the network enough.
constexpr int nice = -10;

}  // namespace

void take_precedence() noexcept {
  ::setpriority(PRIO_PROCESS, 0, nice);
}

void place_worker(unsigned number, unsigned workers) noexcept {
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  // With CPUs to spare the scheduler finds idle ones, and with too few it must be free to share them.
  if (static_cast<unsigned>(CPU_COUNT(&allowed)) != workers) return;
  unsigned cpu = 0;
  for (unsigned left = number; !CPU_ISSET(cpu, &allowed) || left-- > 0;)
    ++cpu;
  cpu_set_t own;
  CPU_ZERO(&own);
  CPU_SET(cpu, &own);
  ::sched_setaffinity(0, sizeof own, &own);
}

}  // namespace weft
