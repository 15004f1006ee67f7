// confined WHAT COMMAND…: runs a command that may neither make nor enter namespaces (WHAT is namespaces), as in a container with a seccomp
// profile; or on what looks to it like a kernel without IPv6 (ipv6), as far as sockets go.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <span>
#include <string_view>

namespace {

constexpr sock_filter kSyscall = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr));
constexpr sock_filter kFirstArgument = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args));
constexpr sock_filter kAllow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);

constexpr std::array<sock_filter, 5> kNoNamespaces{{
    kSyscall,
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_setns, 2, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_unshare, 1, 0),
    kAllow,
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
}};

constexpr std::array<sock_filter, 6> kNoIpv6{{
    kSyscall,
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 2),
    kFirstArgument,
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 1, 0),
    kAllow,
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT),
}};

std::span<const sock_filter> filterFor(std::string_view what) {
  if (what == "namespaces") return kNoNamespaces;
  if (what == "ipv6") return kNoIpv6;
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  const auto filter = argc < 3 ? std::span<const sock_filter>{} : filterFor(argv[1]);
  if (filter.empty()) {
    std::fputs("usage: confined namespaces|ipv6 COMMAND…\n", stderr);
    return 2;
  }
  const sock_fprog program{static_cast<unsigned short>(filter.size()), const_cast<sock_filter*>(filter.data())};
  // Root needs no PR_SET_NO_NEW_PRIVS for that.
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    std::perror("confined: seccomp");
    return 1;
  }
  ::execvp(argv[2], argv + 2);
  std::perror("confined");
  return 1;
}
