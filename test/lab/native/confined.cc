// confined COMMAND…: runs a command that may neither make nor enter namespaces, as in a container with a seccomp profile.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: confined COMMAND…\n", stderr);
    return 2;
  }
  constexpr unsigned refused = SECCOMP_RET_ERRNO | EPERM;
  std::array<sock_filter, 5> filter{{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_setns, 2, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_unshare, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_RET | BPF_K, refused),
  }};
  const sock_fprog program{filter.size(), filter.data()};
  // Root needs no PR_SET_NO_NEW_PRIVS for that.
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    std::perror("confined: seccomp");
    return 1;
  }
  ::execvp(argv[1], argv + 1);
  std::perror("confined");
  return 1;
}
