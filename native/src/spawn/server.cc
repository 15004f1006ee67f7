#include "spawn/server.h"

#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>
#include <variant>

#include "base/failure.h"

namespace weft::spawn {
namespace {

/// Which descriptor an event of epoll is of: a command's id and one of its pipes, or one of our own.
enum class Stream : std::uint8_t { requests, exits, input, output, error_output };

constexpr std::uint64_t tag(Stream stream, std::uint32_t id = 0) noexcept {
  return std::uint64_t{id} << 8 | static_cast<std::uint8_t>(stream);
}

Fd watch_exits() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGCHLD);
  if (::sigprocmask(SIG_BLOCK, &set, nullptr) != 0) throw Failure::from_errno("cannot block a signal");
  Fd fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) throw Failure::from_errno("cannot wait for commands");
  return fd;
}

Command parse_command(ConstBytes request) {
  const auto* text = reinterpret_cast<const char*>(request.data());
  const auto fields = nlohmann::json::parse(text, text + request.size());
  Command command{fields.at("command").get<std::vector<std::string>>(), std::nullopt};
  if (command.arguments.empty()) throw Failure("a command has no name");
  if (fields.contains("environment"))
    command.environment = fields.at("environment").get<std::vector<std::string>>();
  return command;
}

}  // namespace

Server::Server(int requests, int events) : requests_(requests), events_(events), exits_(watch_exits()) {
  epoll_.add(requests_, EPOLLIN, tag(Stream::requests));
  epoll_.add(exits_.get(), EPOLLIN, tag(Stream::exits));
}

void Server::run() {
  std::array<epoll_event, 64> space;
  while (true) {
    for (const epoll_event& event : epoll_.wait(space, -1)) {
      const auto id = static_cast<std::uint32_t>(event.data.u64 >> 8);
      switch (static_cast<Stream>(event.data.u64 & 0xff)) {
        case Stream::requests:
          if (!read_requests()) return;
          break;
        case Stream::exits:
          reap();
          break;
        case Stream::input:
          if (const auto found = children_.find(id); found != children_.end()) flush(id, found->second);
          break;
        case Stream::output:
          read_output(id, Kind::output);
          break;
        case Stream::error_output:
          read_output(id, Kind::error_output);
          break;
      }
    }
  }
}

bool Server::read_requests() {
  const ssize_t size = ::read(requests_, buffer_.data(), buffer_.size());
  if (size < 0 && errno == EINTR) return true;
  if (size <= 0) return false;
  frames_.append(ConstBytes(buffer_).first(static_cast<std::size_t>(size)));
  while (const auto request = frames_.next())
    obey(*request);
  return true;
}

void Server::obey(const Frame& request) {
  if (request.kind == Kind::start) return start(request.id, request.payload);
  const auto found = children_.find(request.id);
  if (found == children_.end()) return;  // it ended meanwhile
  Child& child = found->second;
  switch (request.kind) {
    case Kind::input:
      child.feed(request.payload);
      return flush(request.id, child);
    case Kind::end_input:
      child.end_input();
      return flush(request.id, child);
    case Kind::signal:
      if (!request.payload.empty() && !child.status()) ::kill(child.pid(), load8(request.payload.data()));
      return;
    default:
      throw Failure("a request is of no known kind");
  }
}

void Server::start(std::uint32_t id, ConstBytes request) {
  auto started = Child::start(parse_command(request));
  std::array<std::byte, 4> number;
  if (const int* error = std::get_if<int>(&started)) {
    store32(number.data(), static_cast<std::uint32_t>(*error));
    return tell(id, Kind::refused, number);
  }
  const Child& child = children_.insert_or_assign(id, std::get<Child>(std::move(started))).first->second;
  epoll_.add(child.output(), EPOLLIN, tag(Stream::output, id));
  epoll_.add(child.error_output(), EPOLLIN, tag(Stream::error_output, id));
  store32(number.data(), static_cast<std::uint32_t>(child.pid()));
  tell(id, Kind::started, number);
}

void Server::flush(std::uint32_t id, Child& child) {
  const bool was_open = child.input() >= 0;
  const bool is_left = child.flush();
  if (!was_open || child.input() < 0) return;  // closing took it out of epoll
  epoll_.remove(child.input());
  if (is_left) epoll_.add(child.input(), EPOLLOUT, tag(Stream::input, id));
}

void Server::read_output(std::uint32_t id, Kind kind) {
  const auto found = children_.find(id);
  if (found == children_.end()) return;
  Child& child = found->second;
  const int fd = kind == Kind::output ? child.output() : child.error_output();
  if (fd < 0) return;
  const ssize_t size = ::read(fd, buffer_.data(), buffer_.size());
  if (size < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (size > 0) return tell(id, kind, ConstBytes(buffer_).first(static_cast<std::size_t>(size)));
  if (kind == Kind::output)
    child.close_output();
  else
    child.close_error_output();
  settle(id);
}

void Server::reap() {
  signalfd_siginfo info;
  while (::read(exits_.get(), &info, sizeof info) > 0)
    continue;  // one signal may stand for several exits
  std::vector<std::uint32_t> over;
  for (auto& [id, child] : children_) {
    int status = 0;
    if (child.status() || ::waitpid(child.pid(), &status, WNOHANG) != child.pid()) continue;
    child.reaped(status);
    over.push_back(id);
  }
  for (const std::uint32_t id : over)
    settle(id);
}

void Server::settle(std::uint32_t id) {
  const auto found = children_.find(id);
  if (found == children_.end() || !found->second.is_over()) return;
  const int status = found->second.status().value_or(0);
  const bool is_killed = WIFSIGNALED(status);
  const std::array<std::byte, 2> how{
      std::byte{is_killed}, static_cast<std::byte>(is_killed ? WTERMSIG(status) : WEXITSTATUS(status))};
  children_.erase(found);
  tell(id, Kind::ended, how);
}

void Server::tell(std::uint32_t id, Kind kind, ConstBytes payload) const {
  write_frame(events_, {id, kind, payload});
}

}  // namespace weft::spawn
