#include "io/epoll.h"

#include "base/failure.h"

namespace weft {
namespace {

void control(int epoll, int operation, int fd, std::uint32_t events, std::uint64_t tag) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = tag;
  if (::epoll_ctl(epoll, operation, fd, &event) != 0) throw Failure::from_errno("cannot watch a descriptor");
}

}  // namespace

Epoll::Epoll() : fd_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!fd_) throw Failure::from_errno("cannot make an epoll instance");
}

void Epoll::add(int fd, std::uint32_t events, std::uint64_t tag) {
  control(fd_.get(), EPOLL_CTL_ADD, fd, events, tag);
}

void Epoll::modify(int fd, std::uint32_t events, std::uint64_t tag) {
  control(fd_.get(), EPOLL_CTL_MOD, fd, events, tag);
}

void Epoll::try_modify(int fd, std::uint32_t events, std::uint64_t tag) noexcept {
  epoll_event event{};
  event.events = events;
  event.data.u64 = tag;
  ::epoll_ctl(fd_.get(), EPOLL_CTL_MOD, fd, &event);
}

void Epoll::remove(int fd) noexcept {
  ::epoll_ctl(fd_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

std::span<epoll_event> Epoll::wait(std::span<epoll_event> events, int timeout_ms) noexcept {
  const int count = ::epoll_wait(fd_.get(), events.data(), static_cast<int>(events.size()), timeout_ms);
  return events.first(count > 0 ? static_cast<std::size_t>(count) : 0);
}

}  // namespace weft
