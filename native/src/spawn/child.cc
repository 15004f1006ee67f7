#include "spawn/child.h"

#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "base/failure.h"

namespace weft::spawn {
namespace {

struct Pipe {
  Fd reader;
  Fd writer;
};

Pipe make_pipe() {
  std::array<int, 2> ends;
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw Failure::from_errno("cannot make a pipe");
  return {Fd(ends[0]), Fd(ends[1])};
}

void unblock(const Fd& fd) {
  if (::fcntl(fd.get(), F_SETFL, O_NONBLOCK) != 0) throw Failure::from_errno("cannot set up a pipe");
}

/// The pointers that exec(3) wants.
std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> found;
  found.reserve(texts.size() + 1);
  for (const std::string& text : texts)
    found.push_back(const_cast<char*>(text.c_str()));  // NOLINT: exec's old signature; nothing is written
  found.push_back(nullptr);
  return found;
}

/// The three standard streams of the child.
class FileActions {
 public:
  FileActions(const Fd& input, const Fd& output, const Fd& error_output) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawn_file_actions_adddup2(&actions_, input.get(), STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions_, output.get(), STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions_, error_output.get(), STDERR_FILENO);
  }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  [[nodiscard]] const posix_spawn_file_actions_t* get() const noexcept { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

/// Signals as a command expects them, whatever we block and ignore ourselves.
class Attributes {
 public:
  Attributes() {
    ::posix_spawnattr_init(&attributes_);
    sigset_t set;
    ::sigemptyset(&set);
    ::posix_spawnattr_setsigmask(&attributes_, &set);
    ::sigfillset(&set);
    ::posix_spawnattr_setsigdefault(&attributes_, &set);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  ~Attributes() { ::posix_spawnattr_destroy(&attributes_); }
  [[nodiscard]] const posix_spawnattr_t* get() const noexcept { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

}  // namespace

std::variant<Child, int> Child::start(const Command& command) {
  Pipe input = make_pipe();
  Pipe output = make_pipe();
  Pipe error_output = make_pipe();
  for (const Fd* ours : {&input.writer, &output.reader, &error_output.reader})
    unblock(*ours);
  const std::vector<char*> arguments = pointers(command.arguments);
  std::vector<char*> environment;
  if (command.environment) environment = pointers(*command.environment);
  const FileActions streams(input.reader, output.writer, error_output.writer);
  const Attributes signals;
  pid_t pid = 0;
  const int error = ::posix_spawnp(&pid, arguments.front(), streams.get(), signals.get(), arguments.data(),
                                   command.environment ? environment.data() : environ);
  if (error != 0) return error;
  return Child(pid, std::move(input.writer), std::move(output.reader), std::move(error_output.reader));
}

Child::Child(pid_t pid, Fd input, Fd output, Fd error_output) noexcept
    : pid_(pid),
      input_(std::move(input)),
      output_(std::move(output)),
      error_output_(std::move(error_output)) {}

void Child::feed(ConstBytes bytes) {
  if (input_) pending_.insert(pending_.end(), bytes.begin(), bytes.end());
}

void Child::end_input() noexcept {
  input_ended_ = true;
}

bool Child::flush() noexcept {
  if (!input_) return false;
  std::size_t done = 0;
  while (done < pending_.size()) {
    const ssize_t written = ::write(input_.get(), pending_.data() + done, pending_.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno == EAGAIN) break;
    if (written < 0) {  // it does not read its input to the end: its exit code tells
      input_.reset();
      pending_.clear();
      return false;
    }
    done += static_cast<std::size_t>(written);
  }
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(done));
  if (pending_.empty() && input_ended_) input_.reset();
  return !pending_.empty();
}

}  // namespace weft::spawn
