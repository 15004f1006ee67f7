/// weft-spawn: starts commands for a process that is too large to start them itself. docs/spawn.md.
#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <exception>
#include <iostream>
#include <string_view>

#include "spawn/server.h"
#include "version.h"

namespace {

constexpr int exit_failure = 1;
constexpr int exit_usage = 2;
constexpr std::string_view usage =
    "weft-spawn: starts commands for the weft daemon, which asks for them on stdin; docs/spawn.md says "
    "how.\n";

/// What ends our client may reach us, too; we end when it is gone, and it may have commands to run before.
void ignore_signals() {
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE})
    (void)std::signal(number, SIG_IGN);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1) {
    const std::string_view argument = argv[1];
    if (argument == "--version")
      std::cout << "weft-spawn " << weft::version << '\n';
    else if (argument == "--help")
      std::cout << usage;
    else
      std::cerr << "weft-spawn: it takes no arguments (weft-spawn --help)\n";
    return argument == "--version" || argument == "--help" ? 0 : exit_usage;
  }
  try {
    ignore_signals();
    // Commands inherit neither end: each has three streams of its own.
    ::fcntl(STDIN_FILENO, F_SETFD, FD_CLOEXEC);
    ::fcntl(STDOUT_FILENO, F_SETFD, FD_CLOEXEC);
    weft::spawn::Server(STDIN_FILENO, STDOUT_FILENO).run();
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "weft-spawn: " << error.what() << '\n';
    return exit_failure;
  }
}
