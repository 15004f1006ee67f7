#include "stream/stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace weft {
namespace {

// A connection whose other end says nothing more is given up after about this.
constexpr unsigned user_timeout_ms = 10'000;
constexpr int keepalive_idle_s = 5;
constexpr int keepalive_interval_s = 2;
constexpr int keepalive_count = 3;
// Unsent bytes in the kernel: enough to keep a fast wire busy, little enough that what waits there is not
// old.
constexpr int unsent_bytes = 128 << 10;
// Room of the queue that only short packets get, such as probes: a full path is not a dead one.
constexpr std::size_t reserve = 8 << 10;
constexpr std::size_t short_packet = 256;

bool set_option(int fd, int level, int name, int value) noexcept {
  return ::setsockopt(fd, level, name, &value, sizeof value) == 0;
}

}  // namespace

/// Packets with their lengths, as sendmsg takes them.
struct Stream::Run {
  std::array<std::array<std::byte, stream_prefix>, max_run> lengths;
  std::array<iovec, 2 * max_run> parts;
  std::size_t count = 0;
  std::size_t size = 0;

  Run(ConstBytes packets, std::size_t segment_size) noexcept {
    for (std::size_t i = 0; !packets.empty(); ++i) {
      const ConstBytes packet = packets.first(std::min(segment_size, packets.size()));
      packets = packets.subspan(packet.size());
      store16(lengths[i].data(), static_cast<std::uint16_t>(packet.size()));
      parts[count++] = {lengths[i].data(), stream_prefix};
      parts[count++] = {const_cast<std::byte*>(packet.data()), packet.size()};
      size += stream_prefix + packet.size();
    }
  }
};

Stream::Stream(Fd socket, PeerId peer, std::uint32_t id)
    : socket_(std::move(socket)),
      peer_(peer),
      id_(id),
      queue_(std::make_unique_for_overwrite<std::byte[]>(queue_capacity)) {}

bool Stream::prepare() noexcept {
  const int fd = socket_.get();
  return set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1) && set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1) &&
         set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, keepalive_idle_s) &&
         set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, keepalive_interval_s) &&
         set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, keepalive_count) &&
         set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, user_timeout_ms) &&
         set_option(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, unsent_bytes);
}

void Stream::watch(Epoll& worker, std::uint64_t tag) {
  const std::lock_guard guard(writing_);
  worker.add(socket_.get(), awaits_room_ ? EPOLLIN | EPOLLOUT : EPOLLIN, tag);
  epoll_ = &worker;
  tag_ = tag;
}

void Stream::unwatch() noexcept {
  const std::lock_guard guard(writing_);
  if (epoll_ != nullptr) epoll_->remove(socket_.get());
  epoll_ = nullptr;
}

std::size_t Stream::send(ConstBytes packets, std::size_t segment_size) noexcept {
  const std::lock_guard guard(writing_);
  std::size_t taken = 0;
  while (!packets.empty() && begin_ == end_) {
    const ConstBytes now = packets.first(std::min(packets.size(), max_run * segment_size));
    Run run(now, segment_size);
    if (!send_now(run)) return taken;
    packets = packets.subspan(now.size());
    taken += run.count / 2;
  }
  return taken + enqueue(packets, segment_size);
}

// What the kernel does not take goes into the empty queue. False if the connection is broken.
bool Stream::send_now(Run& run) noexcept {
  msghdr message{};
  message.msg_iov = run.parts.data();
  message.msg_iovlen = run.count;
  const ssize_t sent = ::sendmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN && errno != EINTR) return false;
  auto skip = static_cast<std::size_t>(std::max<ssize_t>(sent, 0));
  if (skip == run.size) return true;
  for (const iovec& part : std::span(run.parts).first(run.count)) {
    const std::size_t skipped = std::min(skip, part.iov_len);
    skip -= skipped;
    put(ConstBytes{static_cast<const std::byte*>(part.iov_base), part.iov_len}.subspan(skipped));
  }
  await_room(true);
  return true;
}

std::size_t Stream::enqueue(ConstBytes packets, std::size_t segment_size) noexcept {
  if (packets.empty()) return 0;
  if (begin_ > 0) std::memmove(queue_.get(), queue_.get() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  std::size_t taken = 0;
  while (!packets.empty()) {
    const ConstBytes packet = packets.first(std::min(segment_size, packets.size()));
    packets = packets.subspan(packet.size());
    const std::size_t needed = stream_prefix + packet.size() + (packet.size() > short_packet ? reserve : 0);
    if (needed > queue_capacity - end_) continue;
    std::array<std::byte, stream_prefix> length;
    store16(length.data(), static_cast<std::uint16_t>(packet.size()));
    put(length);
    put(packet);
    ++taken;
  }
  return taken;
}

void Stream::put(ConstBytes bytes) noexcept {
  std::memcpy(queue_.get() + end_, bytes.data(), bytes.size());
  end_ += bytes.size();
}

void Stream::flush() noexcept {
  const std::lock_guard guard(writing_);
  while (begin_ < end_) {
    const ssize_t sent =
        ::send(socket_.get(), queue_.get() + begin_, end_ - begin_, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent <= 0) return;
    begin_ += static_cast<std::size_t>(sent);
  }
  begin_ = end_ = 0;
  await_room(false);
}

void Stream::await_room(bool wanted) noexcept {
  if (awaits_room_ == wanted) return;
  awaits_room_ = wanted;
  if (epoll_ != nullptr) epoll_->try_modify(socket_.get(), wanted ? EPOLLIN | EPOLLOUT : EPOLLIN, tag_);
}

ssize_t Stream::receive(Bytes buffer) noexcept {
  return ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
}

}  // namespace weft
