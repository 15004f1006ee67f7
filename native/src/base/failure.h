/// What set-up code throws; the hot path never throws.
#pragma once

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>

namespace weft {

/// A reason that a person can act on, one line.
class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;

  /// `what` and the text of errno.
  static Failure from_errno(const std::string& what) {
    const int error = errno;
    return Failure{what + ": " + std::strerror(error)};
  }
};

}  // namespace weft
