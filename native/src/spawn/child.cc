#include "spawn/child.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/failure.h"
#include "process/pipe.h"

namespace weft::spawn {
namespace {

Pipe make_pipe() {
  std::optional<Pipe> made = open_pipe();
  if (!made) throw Failure::from_errno("cannot make a pipe");
  return std::move(*made);
}

void unblock(const Fd& fd) {
  if (::fcntl(fd.get(), F_SETFL, O_NONBLOCK) != 0) throw Failure::from_errno("cannot set up a pipe");
}

}  // namespace

std::variant<Child, int> Child::start(const Command& command) {
  Pipe input = make_pipe();
  Pipe output = make_pipe();
  Pipe error_output = make_pipe();
  for (const Fd* ours : {&input.writer, &output.reader, &error_output.reader})
    unblock(*ours);
  const pid_t pid =
      start_process(command, {input.reader.get(), output.writer.get(), error_output.writer.get()});
  if (pid < 0) return -pid;
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
