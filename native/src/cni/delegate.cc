#include "cni/delegate.h"

#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstring>
#include <optional>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "cni/cni_error.h"
#include "cni/deadline.h"
#include "cni/reading.h"
#include "process/pipe.h"
#include "process/start.h"

namespace weft::cni {
namespace {

using nlohmann::json;

constexpr std::chrono::seconds patience{30};
constexpr std::size_t max_result = 1 << 20;
constexpr std::string_view command_variable = "CNI_COMMAND=";

std::string find_program(const std::string& path, const std::string& type) {
  const bool is_name = type.find('/') == std::string::npos && type != "." && type != "..";
  std::istringstream directories(path);
  for (std::string directory; is_name && std::getline(directories, directory, ':');) {
    std::string program = directory;
    program.append("/").append(type);
    if (!directory.empty() && ::access(program.c_str(), X_OK) == 0) return program;
  }
  throw CniError(Code::invalid_configuration, "there is no plugin " + type + " for addresses",
                 "looked in " + path);
}

/// A descriptor from which a text is read, however long it is.
Fd readable(const std::string& text) {
  Fd memory(::memfd_create("configuration", MFD_CLOEXEC));
  if (!memory || ::write(memory.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      ::lseek(memory.get(), 0, SEEK_SET) != 0)
    throw CniError(Code::io_failure, "there is no memory for a configuration", std::strerror(errno));
  return memory;
}

Pipe make_pipe() {
  std::optional<Pipe> made = open_pipe();
  if (!made) throw CniError(Code::io_failure, "there is no pipe to a plugin", std::strerror(errno));
  return std::move(*made);
}

/// A process that is waited for, and killed when it takes too long.
class Child {
 public:
  Child(const Command& command, const Streams& streams) : pid_(start_process(command, streams)) {
    if (pid_ < 0)
      throw CniError(Code::io_failure, command.arguments.front() + " cannot be run", std::strerror(-pid_));
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  /// Whether it ended well, and in time.
  bool succeeds(const Deadline& deadline) {
    const Fd ended(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    pollfd wait{.fd = ended.get(), .events = POLLIN, .revents = 0};
    if (::poll(&wait, 1, deadline.left()) <= 0) return false;
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = 0;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }

 private:
  pid_t pid_;
};

std::vector<std::string> environment_with(const std::string& command) {
  std::vector<std::string> environment{std::string(command_variable) + command};
  for (char** variable = environ; *variable != nullptr; ++variable)
    if (!std::string_view(*variable).starts_with(command_variable)) environment.emplace_back(*variable);
  return environment;
}

[[noreturn]] void failed(const std::string& type, const std::string& printed) {
  const json said = json::parse(printed, nullptr, false);
  if (!said.is_object() || !said.contains("code") || !said["code"].is_number_integer())
    throw CniError(Code::internal, "the plugin " + type + " failed", printed);
  throw CniError(said["code"].get<int>(), type + ": " + said.value("msg", "it failed"),
                 said.value("details", ""));
}

}  // namespace

json delegate(const Call& call, const std::string& type, const std::string& command) {
  const std::string program = find_program(call.path, type);
  const Fd input = readable(call.config.dump());
  Pipe output = make_pipe();
  const Deadline deadline(patience);
  Child child({{program}, environment_with(command)}, {.input = input.get(), .output = output.writer.get()});
  output.writer.reset();
  const std::string printed = read_all(output.reader.get(), max_result, deadline, "what " + type + " prints");
  if (!child.succeeds(deadline)) failed(type, printed);
  if (printed.empty()) return nullptr;
  json result = json::parse(printed, nullptr, false);
  if (result.is_discarded())
    throw CniError(Code::decoding_failure, "what " + type + " prints is not JSON", printed);
  return result;
}

}  // namespace weft::cni
