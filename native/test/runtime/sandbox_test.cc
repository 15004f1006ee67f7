#include "sandbox/sandbox.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>

#include "lab.h"

namespace weft::test {
namespace {

// What the attempt returns in a process of its own, in the sandbox of a forwarder.
bool succeeds_in_sandbox(const std::function<bool()>& attempt) {
  const ScratchDirectory scratch;
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    [[maybe_unused]] const std::string kept = drop_privileges(scratch.path());
    if (!restrict_syscalls()) ::_exit(2);
    ::_exit(attempt() ? 1 : 0);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) != 2);
  CHECK(std::filesystem::is_empty(scratch.path()));
  return WEXITSTATUS(status) == 1;
}

void* map(int protection) {
  return ::mmap(nullptr, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

TEST_CASE("in the sandbox memory is for reading and writing, and never for running") {
  CHECK(succeeds_in_sandbox([] { return map(PROT_READ | PROT_WRITE) != MAP_FAILED; }));
  CHECK_FALSE(succeeds_in_sandbox([] { return map(PROT_READ | PROT_WRITE | PROT_EXEC) != MAP_FAILED; }));
  CHECK_FALSE(succeeds_in_sandbox([] { return map(PROT_READ | PROT_EXEC) != MAP_FAILED; }));
  CHECK_FALSE(succeeds_in_sandbox(
      [] { return ::mprotect(map(PROT_READ | PROT_WRITE), 4096, PROT_READ | PROT_EXEC) == 0; }));
}

TEST_CASE("in the sandbox no other process can be ended, and no file removed, opened or made") {
  const pid_t other = ::getpid();
  CHECK_FALSE(succeeds_in_sandbox([other] { return ::syscall(SYS_tgkill, other, other, 0) == 0; }));
  CHECK_FALSE(succeeds_in_sandbox([other] { return ::kill(other, 0) == 0; }));
  CHECK(succeeds_in_sandbox([] { return ::syscall(SYS_tgkill, ::getpid(), ::gettid(), 0) == 0; }));
  const ScratchDirectory scratch;
  const std::string path = scratch.path() + "/file";
  std::ofstream(path) << "content";
  CHECK_FALSE(succeeds_in_sandbox([&] { return ::unlink(path.c_str()) == 0; }));
  CHECK_FALSE(succeeds_in_sandbox([&] { return ::open(path.c_str(), O_RDONLY) >= 0; }));
  CHECK_FALSE(succeeds_in_sandbox([] { return ::open("made", O_WRONLY | O_CREAT, 0600) >= 0; }));
  CHECK(std::filesystem::exists(path));
}

TEST_CASE("without the filter of system calls, too, no file is in sight and no process can be ended") {
  const ScratchDirectory scratch;
  const std::string path = scratch.path() + "/file";
  std::ofstream(path) << "content";
  const pid_t other = ::getpid();
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    const std::string kept = drop_privileges(scratch.path());
    const bool ends = kept.empty() && ::kill(other, 0) == 0;
    ::_exit(ends || ::unlink(path.c_str()) == 0 || ::open("made", O_WRONLY | O_CREAT, 0600) >= 0 ? 1 : 0);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  CHECK(status == 0);
  CHECK(std::filesystem::exists(path));
}

}  // namespace
}  // namespace weft::test
