#include "sandbox/sandbox.h"

#include <grp.h>
#include <linux/capability.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "base/failure.h"

namespace weft {
namespace {

// Sockets, epoll and files are open by now. What is left: moving data, waiting, time, memory, locks, clients
// of the control socket that come and go, and ending.
constexpr std::array allowed{SCMP_SYS(read),
                             SCMP_SYS(write),
                             SCMP_SYS(readv),
                             SCMP_SYS(writev),
                             SCMP_SYS(recvmsg),
                             SCMP_SYS(recvfrom),
                             SCMP_SYS(sendmsg),
                             SCMP_SYS(sendto),
                             SCMP_SYS(sendmmsg),
                             SCMP_SYS(setsockopt),
                             SCMP_SYS(accept4),
                             SCMP_SYS(close),
                             SCMP_SYS(epoll_wait),
                             SCMP_SYS(epoll_pwait),
                             SCMP_SYS(epoll_ctl),
                             SCMP_SYS(futex),
                             SCMP_SYS(clock_gettime),
                             SCMP_SYS(gettimeofday),
                             SCMP_SYS(clock_nanosleep),
                             SCMP_SYS(nanosleep),
                             SCMP_SYS(sched_yield),
                             SCMP_SYS(brk),
                             SCMP_SYS(munmap),
                             SCMP_SYS(mremap),
                             SCMP_SYS(madvise),
                             SCMP_SYS(getrandom),
                             SCMP_SYS(getpid),
                             SCMP_SYS(gettid),
                             SCMP_SYS(rt_sigaction),
                             SCMP_SYS(rt_sigprocmask),
                             SCMP_SYS(rt_sigreturn),
                             SCMP_SYS(sigaltstack),
                             SCMP_SYS(restart_syscall),
                             SCMP_SYS(exit),
                             SCMP_SYS(exit_group),
                             SCMP_SYS(set_robust_list),
                             SCMP_SYS(rseq),
                             SCMP_SYS(pread64),
                             SCMP_SYS(ftruncate),
                             SCMP_SYS(fstat),
                             SCMP_SYS(newfstatat),
                             SCMP_SYS(lseek)};

// A call that is allowed with some values of one argument only.
struct Conditional {
  int call;
  scmp_arg_cmp condition;
};

// Memory is never executable, so that nothing that was written can be run. Of the signals abort(3) is left,
// to this process itself. The ioctls are the only things that are done to a device, and an interface's number
// and name for link-local addresses.
std::array<Conditional, 7> conditional() noexcept {
  const scmp_arg_cmp not_executable{2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0};
  const auto ioctl_is = [](unsigned long request) { return scmp_arg_cmp{1, SCMP_CMP_EQ, request, 0}; };
  return {{{SCMP_SYS(mmap), not_executable},
           {SCMP_SYS(mprotect), not_executable},
           {SCMP_SYS(tgkill), {0, SCMP_CMP_EQ, static_cast<scmp_datum_t>(::getpid()), 0}},
           {SCMP_SYS(ioctl), ioctl_is(TUNSETOFFLOAD)},
           {SCMP_SYS(ioctl), ioctl_is(TUNGETIFF)},
           {SCMP_SYS(ioctl), ioctl_is(SIOCGIFINDEX)},
           {SCMP_SYS(ioctl), ioctl_is(SIOCGIFNAME)}}};
}

struct ReleaseFilter {
  void operator()(void* filter) const noexcept { ::seccomp_release(filter); }
};

// Raw, because libcap has no more to give here than two system calls.
void clear_capability_sets() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> none{};
  if (::syscall(SYS_capset, &header, none.data()) != 0)
    throw Failure::from_errno("cannot drop the capabilities");
}

// Makes an empty directory the root, which has no name any more, so that nothing can be made in it.
bool leave_files(const std::string& directory) {
  std::string empty = directory + "/empty-XXXXXX";
  if (::mkdtemp(empty.data()) == nullptr) return false;
  const bool entered = ::chdir(empty.c_str()) == 0;
  return ::rmdir(empty.c_str()) == 0 && entered && ::chroot(".") == 0;
}

bool leave_root() {
  if (::geteuid() != 0) return true;
  return ::setgroups(0, nullptr) == 0 && ::setresgid(nobodys_id, nobodys_id, nobodys_id) == 0 &&
         ::setresuid(nobodys_id, nobodys_id, nobodys_id) == 0;
}

}  // namespace

std::string drop_privileges(const std::string& directory) {
  // Needs CAP_SETPCAP; without it there is nothing in the set that a process like this could get back.
  for (unsigned long capability = 0; ::prctl(PR_CAPBSET_READ, capability) >= 0; ++capability)
    ::prctl(PR_CAPBSET_DROP, capability);
  std::string kept;
  if (!leave_files(directory))
    kept += std::string("; the file system stays in sight: ") + std::strerror(errno);
  // In a user namespace there may be no other user than root, who is nobody special outside of it.
  if (!leave_root()) kept += std::string("; it stays root's process: ") + std::strerror(errno);
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  clear_capability_sets();
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) throw Failure::from_errno("cannot set no_new_privs");
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  ::prctl(PR_SET_DUMPABLE, 0);
  return kept.empty() ? kept : kept.substr(2);
}

bool restrict_syscalls() {
  const std::unique_ptr<void, ReleaseFilter> filter(::seccomp_init(SCMP_ACT_ERRNO(EPERM)));
  if (!filter || ::seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_TSYNC, 1) != 0) return false;
  // Names unknown to this architecture are skipped by the library.
  for (const int call : allowed)
    if (::seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 0) != 0) return false;
  for (const auto& [call, condition] : conditional())
    if (::seccomp_rule_add_array(filter.get(), SCMP_ACT_ALLOW, call, 1, &condition) != 0) return false;
  return ::seccomp_load(filter.get()) == 0;
}

}  // namespace weft
