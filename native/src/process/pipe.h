/// A pipe(7) whose ends no other program inherits.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <optional>

#include "base/fd.h"

namespace weft {

struct Pipe {
  Fd reader;
  Fd writer;
};

/// None when there is no room for one; errno says why.
inline std::optional<Pipe> open_pipe() noexcept {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return std::nullopt;
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

}  // namespace weft
