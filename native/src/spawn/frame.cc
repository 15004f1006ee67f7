#include "spawn/frame.h"

#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/failure.h"

namespace weft::spawn {
namespace {

constexpr std::size_t length_size = 4;
/// Of the id and the kind, which the length counts.
constexpr std::size_t head_size = 5;
constexpr std::size_t max_frame = std::size_t{64} << 20;

}  // namespace

void FrameReader::append(ConstBytes bytes) {
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(read_));
  read_ = 0;
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
}

std::optional<Frame> FrameReader::next() {
  const ConstBytes left = ConstBytes(buffer_).subspan(read_);
  if (left.size() < length_size) return std::nullopt;
  const std::size_t length = load32(left.data());
  if (length < head_size || length > max_frame) throw Failure("a frame has an impossible length");
  if (left.size() < length_size + length) return std::nullopt;
  read_ += length_size + length;
  const ConstBytes frame = left.subspan(length_size, length);
  return Frame{load32(frame.data()), Kind{load8(frame.data() + 4)}, frame.subspan(head_size)};
}

void write_frame(int fd, const Frame& frame) {
  std::array<std::byte, length_size + head_size> head;
  store32(head.data(), static_cast<std::uint32_t>(head_size + frame.payload.size()));
  store32(head.data() + 4, frame.id);
  store8(head.data() + 8, static_cast<std::uint8_t>(frame.kind));
  std::array<ConstBytes, 2> parts{ConstBytes(head), frame.payload};
  for (ConstBytes& part : parts) {
    while (!part.empty()) {
      const ssize_t written = ::write(fd, part.data(), part.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) throw Failure::from_errno("nobody reads what commands say");
      part = part.subspan(static_cast<std::size_t>(written));
    }
  }
}

}  // namespace weft::spawn
