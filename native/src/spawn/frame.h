/// What the daemon and weft-spawn say to each other: docs/spawn.md. Integers are big-endian.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"

namespace weft::spawn {

enum class Kind : std::uint8_t {
  // What is asked for.
  start = 1,
  input = 2,
  end_input = 3,
  signal = 4,
  // What is told.
  started = 16,
  output = 17,
  error_output = 18,
  ended = 19,
  refused = 20,
};

struct Frame {
  std::uint32_t id;
  Kind kind;
  ConstBytes payload;
};

/// Cuts a stream of bytes into frames.
class FrameReader {
 public:
  void append(ConstBytes bytes);
  /// The next whole frame; its payload is valid until the next call of either function. Throws Failure where
  /// no frame can be.
  std::optional<Frame> next();

 private:
  std::vector<std::byte> buffer_;
  std::size_t read_ = 0;
};

/// Writes one frame whole; blocks. Throws Failure.
void write_frame(int fd, const Frame& frame);

}  // namespace weft::spawn
