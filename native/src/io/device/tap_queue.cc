#include "io/device/tap_queue.h"

#include <unistd.h>

#include <array>
#include <cerrno>

namespace weft {
namespace {

TapResult result_of(ssize_t size) noexcept {
  return {size, size < 0 && errno == EBADFD};
}

}  // namespace

TapResult TapQueue::read(Bytes room) const noexcept {
  return result_of(::read(fd_.get(), room.data(), room.size()));
}

TapResult TapQueue::write(std::span<const iovec> parts) const noexcept {
  return result_of(::writev(fd_.get(), parts.data(), static_cast<int>(parts.size())));
}

bool TapQueue::write_frame(ConstBytes frame) const noexcept {
  VnetHeader vnet;
  const std::array<iovec, 2> parts{
      {{&vnet, sizeof vnet}, {const_cast<std::byte*>(frame.data()), frame.size()}}};
  return static_cast<bool>(write(parts));
}

}  // namespace weft
