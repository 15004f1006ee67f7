/// A command that runs, and the pipes to it.
#pragma once

#include <sys/types.h>

#include <optional>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/fd.h"
#include "process/start.h"

namespace weft::spawn {

class Child {
 public:
  /// Starts it; gives errno where that fails. Throws Failure where there is no pipe.
  static std::variant<Child, int> start(const Command& command);

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  /// Ends of pipes of ours; a closed one is -1. They do not block.
  [[nodiscard]] int input() const noexcept { return input_.get(); }
  [[nodiscard]] int output() const noexcept { return output_.get(); }
  [[nodiscard]] int error_output() const noexcept { return error_output_.get(); }

  /// Input to be written as the command takes it.
  void feed(ConstBytes bytes);
  /// No more comes: its input ends after what was fed.
  void end_input() noexcept;
  /// Writes what the pipe takes now, and closes it after the last. True when some is left.
  bool flush() noexcept;

  void close_output() noexcept { output_.reset(); }
  void close_error_output() noexcept { error_output_.reset(); }

  /// It is gone, with a status of wait(2).
  void reaped(int status) noexcept { status_ = status; }
  /// Set once it is gone.
  [[nodiscard]] std::optional<int> status() const noexcept { return status_; }
  /// It is gone, and all that it said was read.
  [[nodiscard]] bool is_over() const noexcept { return status_ && !output_ && !error_output_; }

 private:
  Child(pid_t pid, Fd input, Fd output, Fd error_output) noexcept;

  pid_t pid_;
  Fd input_;
  Fd output_;
  Fd error_output_;
  std::vector<std::byte> pending_;
  bool input_ended_ = false;
  std::optional<int> status_;
};

}  // namespace weft::spawn
