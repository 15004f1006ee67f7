/// What a container runtime is told when something fails: docs/cni.md.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace weft::cni {

/// Numbers of the specification; 4 and 6 are what its library uses for the same.
enum class Code : int {
  incompatible_version = 1,
  bad_environment = 4,
  io_failure = 5,
  decoding_failure = 6,
  invalid_configuration = 7,
  try_again_later = 11,
  not_available = 50,
  internal = 999,
};

/// A failure with its number; `what` is a sentence.
class CniError : public std::runtime_error {
 public:
  CniError(int code, const std::string& message, std::string details = {})
      : std::runtime_error(message), code_(code), details_(std::move(details)) {}
  CniError(Code code, const std::string& message, std::string details = {})
      : CniError(static_cast<int>(code), message, std::move(details)) {}

  [[nodiscard]] int code() const noexcept { return code_; }
  [[nodiscard]] const std::string& details() const noexcept { return details_; }

 private:
  int code_;
  std::string details_;
};

/// The router is not running, or does not answer.
class RouterAbsent : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace weft::cni
