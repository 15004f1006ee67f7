#include "process/start.h"

#include <spawn.h>
#include <unistd.h>

#include <csignal>

namespace weft {
namespace {

/// The pointers that exec(3) wants.
std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> found;
  found.reserve(texts.size() + 1);
  for (const std::string& text : texts)
    found.push_back(const_cast<char*>(text.c_str()));  // NOLINT: exec's old signature; nothing is written
  found.push_back(nullptr);
  return found;
}

class FileActions {
 public:
  explicit FileActions(const Streams& streams) {
    ::posix_spawn_file_actions_init(&actions_);
    put(streams.input, STDIN_FILENO);
    put(streams.output, STDOUT_FILENO);
    put(streams.error_output, STDERR_FILENO);
  }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  [[nodiscard]] const posix_spawn_file_actions_t* get() const noexcept { return &actions_; }

 private:
  void put(int fd, int stream) {
    if (fd >= 0) ::posix_spawn_file_actions_adddup2(&actions_, fd, stream);
  }

  posix_spawn_file_actions_t actions_{};
};

class DefaultSignals {
 public:
  DefaultSignals() {
    ::posix_spawnattr_init(&attributes_);
    sigset_t set;
    ::sigemptyset(&set);
    ::posix_spawnattr_setsigmask(&attributes_, &set);
    ::sigfillset(&set);
    ::posix_spawnattr_setsigdefault(&attributes_, &set);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  DefaultSignals(const DefaultSignals&) = delete;
  DefaultSignals& operator=(const DefaultSignals&) = delete;
  ~DefaultSignals() { ::posix_spawnattr_destroy(&attributes_); }
  [[nodiscard]] const posix_spawnattr_t* get() const noexcept { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

}  // namespace

pid_t start_process(const Command& command, const Streams& streams) {
  const std::vector<char*> arguments = pointers(command.arguments);
  std::vector<char*> environment;
  if (command.environment) environment = pointers(*command.environment);
  const FileActions actions(streams);
  const DefaultSignals signals;
  pid_t pid = 0;
  const int error = ::posix_spawnp(&pid, arguments.front(), actions.get(), signals.get(), arguments.data(),
                                   command.environment ? environment.data() : environ);
  return error == 0 ? pid : -error;
}

}  // namespace weft
