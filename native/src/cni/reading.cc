#include "cni/reading.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "cni/cni_error.h"

namespace weft::cni {
namespace {

constexpr std::chrono::seconds patience{10};
/// Bytes.
constexpr std::size_t max_input = 1 << 20;

}  // namespace

std::string read_all(int fd, std::size_t limit, const Deadline& deadline, const std::string& what) {
  std::string text;
  for (;;) {
    pollfd wait{.fd = fd, .events = POLLIN, .revents = 0};
    const int ready = ::poll(&wait, 1, deadline.left());
    if (ready == 0) throw CniError(Code::io_failure, what + " does not end");
    std::array<char, 16384> buffer;
    const ssize_t size = ready < 0 ? -1 : ::read(fd, buffer.data(), buffer.size());
    if (size == 0) return text;
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) throw CniError(Code::io_failure, what + " cannot be read", std::strerror(errno));
    text.append(buffer.data(), static_cast<std::size_t>(size));
    if (text.size() > limit) throw CniError(Code::io_failure, what + " is too long");
  }
}

std::string read_input(const std::string& what) {
  return read_all(STDIN_FILENO, max_input, Deadline(patience), what);
}

}  // namespace weft::cni
