/// Runs commands for one client: docs/spawn.md.
#pragma once

#include <array>
#include <cstdint>
#include <unordered_map>

#include "base/fd.h"
#include "io/epoll.h"
#include "spawn/child.h"
#include "spawn/frame.h"

namespace weft::spawn {

class Server {
 public:
  /// Asked on `requests`, tells on `events`; blocks SIGCHLD. Throws Failure.
  Server(int requests, int events);

  /// Returns when the client is gone; commands that run stay. Throws Failure when it says what nobody
  /// understands.
  void run();

 private:
  /// False at the end of the requests.
  bool read_requests();
  void obey(const Frame& request);
  void start(std::uint32_t id, ConstBytes request);
  void flush(std::uint32_t id, Child& child);
  /// Hands on what a command says on one of its two outputs.
  void read_output(std::uint32_t id, Kind kind);
  void reap();
  /// Forgets a command that is over, and tells.
  void settle(std::uint32_t id);
  void tell(std::uint32_t id, Kind kind, ConstBytes payload = {}) const;

  int requests_;
  int events_;
  Fd exits_;
  Epoll epoll_;
  FrameReader frames_;
  std::unordered_map<std::uint32_t, Child> children_;
  std::array<std::byte, std::size_t{64} << 10> buffer_;
};

}  // namespace weft::spawn
