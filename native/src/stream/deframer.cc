#include "stream/deframer.h"

#include <cstring>

#include "wire/header.h"

namespace weft {

Deframer::Deframer() : buffer_(std::make_unique_for_overwrite<std::byte[]>(capacity)) {}

Bytes Deframer::room() noexcept {
  if (begin_ > 0) std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  // What no packet can be made of is not kept.
  if (broken_) end_ = 0;
  return {buffer_.get() + end_, capacity - end_};
}

std::optional<Bytes> Deframer::next() noexcept {
  if (broken_ || end_ - begin_ < stream_prefix) return std::nullopt;
  const std::size_t size = load16(buffer_.get() + begin_);
  broken_ = size < min_sealed_size;
  if (broken_ || end_ - begin_ < stream_prefix + size) return std::nullopt;
  const Bytes packet{buffer_.get() + begin_ + stream_prefix, size};
  begin_ += stream_prefix + size;
  return packet;
}

}  // namespace weft
