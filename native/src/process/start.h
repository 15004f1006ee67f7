/// Starting another program, posix_spawn(3).
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace weft {

/// What to run: the program, found by PATH unless it is a path, with its arguments; and its environment,
/// `NAME=value`, unless it is our own.
struct Command {
  std::vector<std::string> arguments;
  std::optional<std::vector<std::string>> environment;
};

/// What become the standard streams of a program; -1: our own.
struct Streams {
  int input = -1;
  int output = -1;
  int error_output = -1;
};

/// Starts it with signals as a program expects them, whatever we block and ignore ourselves. Gives its pid,
/// or an errno, negative, where that fails.
pid_t start_process(const Command& command, const Streams& streams);

}  // namespace weft
