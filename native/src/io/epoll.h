/// An epoll instance (epoll(7)).
#pragma once

#include <sys/epoll.h>

#include <cstdint>
#include <span>

#include "base/fd.h"

namespace weft {

/// Thread-safe: another thread may add and remove while one waits.
class Epoll {
 public:
  /// Throws Failure.
  Epoll();

  /// Watches `fd` for `events`; `tag` comes back with them. Throws Failure.
  void add(int fd, std::uint32_t events, std::uint64_t tag);
  void modify(int fd, std::uint32_t events, std::uint64_t tag);
  /// Does nothing if `fd` is not watched.
  void try_modify(int fd, std::uint32_t events, std::uint64_t tag) noexcept;
  void remove(int fd) noexcept;

  /// Waits like epoll_wait, but an interrupted wait returns no events. A `timeout_ms` of -1 waits for ever, 0
  /// not at all.
  std::span<epoll_event> wait(std::span<epoll_event> events, int timeout_ms) noexcept;

 private:
  Fd fd_;
};

}  // namespace weft
