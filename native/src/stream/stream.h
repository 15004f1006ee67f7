/// A TCP connection to a peer that carries packets where UDP does not pass: docs/protocol.md 2.6.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>

#include "base/fd.h"
#include "io/epoll.h"
#include "stream/deframer.h"
#include "wire/header.h"

namespace weft {

/// Read by the one worker that watches it, written by every thread. Never blocks: what the kernel does not
/// take waits in a queue of fixed size, and what has no room there is dropped, which is how the connections
/// inside learn that the way is full.
class Stream {
 public:
  /// Bytes that wait at most, beside what the kernel holds.
  static constexpr std::size_t queue_capacity = 256 << 10;
  /// What one `send` takes at most.
  static constexpr std::size_t max_run = 128;

  /// `id` tells one stream of a peer from the next.
  Stream(Fd socket, PeerId peer, std::uint32_t id);
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// False if the socket is not a TCP connection.
  [[nodiscard]] bool prepare() noexcept;

  [[nodiscard]] PeerId peer() const noexcept { return peer_; }
  [[nodiscard]] std::uint32_t id() const noexcept { return id_; }

  /// Lets the worker with this epoll, which knows it as `tag`, read from it; or no worker any more.
  void watch(Epoll& worker, std::uint64_t tag);
  void unwatch() noexcept;

  /// Sends packets, at most 64 KiB, that stand one behind the other, each of `segment_size` bytes but the
  /// last, which may be shorter. Returns how many were taken.
  std::size_t send(ConstBytes packets, std::size_t segment_size) noexcept;

  /// Its worker: the connection has room again.
  void flush() noexcept;
  /// Its worker: as recv without waiting.
  ssize_t receive(Bytes buffer) noexcept;
  /// Its worker's alone.
  [[nodiscard]] Deframer& deframer() noexcept { return deframer_; }

 private:
  struct Run;
  bool send_now(Run& run) noexcept;
  std::size_t enqueue(ConstBytes packets, std::size_t segment_size) noexcept;
  void put(ConstBytes bytes) noexcept;
  void await_room(bool wanted) noexcept;

  const Fd socket_;
  const PeerId peer_;
  const std::uint32_t id_;
  Deframer deframer_;
  std::mutex writing_;  // guards what follows
  Epoll* epoll_ = nullptr;
  std::uint64_t tag_ = 0;
  bool awaits_room_ = false;
  std::unique_ptr<std::byte[]> queue_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace weft
