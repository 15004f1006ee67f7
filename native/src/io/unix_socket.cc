#include "io/unix_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/failure.h"

namespace weft {
namespace {

constexpr int backlog = 16;

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path)
    throw Failure("the path of the control socket must have 1 to 107 bytes: " + path);
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

Fd stream_socket(int flags) {
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0));
  if (!fd) throw Failure::from_errno("cannot open a unix socket");
  return fd;
}

bool connect_to(int fd, const sockaddr_un& address) {
  return ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

}  // namespace

Fd listen_unix(const std::string& path) {
  const sockaddr_un address = address_of(path);
  if (connect_to(stream_socket(0).get(), address)) throw Failure("another process listens on " + path);
  if (errno == ECONNREFUSED) ::unlink(path.c_str());
  Fd fd = stream_socket(SOCK_NONBLOCK);
  // The socket must have its mode from the moment it exists, which umask ensures and a later chmod would not.
  const mode_t former = ::umask(0177);
  const int bound = ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int error = errno;
  ::umask(former);
  errno = error;
  if (bound != 0 || ::listen(fd.get(), backlog) != 0) throw Failure::from_errno("cannot listen on " + path);
  return fd;
}

Fd connect_unix(const std::string& path) {
  Fd fd = stream_socket(0);
  if (!connect_to(fd.get(), address_of(path))) throw Failure::from_errno("cannot connect to " + path);
  return fd;
}

void send_with_fds(int socket, const std::string& text, std::span<const Fd> fds) {
  if (fds.size() > max_passed_fds) throw Failure("too many descriptors for one message");
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(int) * max_passed_fds)> control{};
  std::size_t sent = 0;
  while (sent < text.size()) {
    iovec data{const_cast<char*>(text.data()) + sent, text.size() - sent};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    if (sent == 0 && !fds.empty()) {
      message.msg_control = control.data();
      message.msg_controllen = CMSG_SPACE(sizeof(int) * fds.size());
      cmsghdr* header = CMSG_FIRSTHDR(&message);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN(sizeof(int) * fds.size());
      for (std::size_t i = 0; i < fds.size(); ++i) {
        const int fd = fds[i].get();
        std::memcpy(CMSG_DATA(header) + i * sizeof fd, &fd, sizeof fd);
      }
    }
    const ssize_t size = ::sendmsg(socket, &message, MSG_NOSIGNAL);
    if (size < 0 && errno != EINTR) throw Failure::from_errno("cannot write to the control socket");
    if (size > 0) sent += static_cast<std::size_t>(size);
  }
}

ssize_t receive_with_fds(int socket, Bytes buffer, std::vector<Fd>& fds) noexcept {
  iovec data{buffer.data(), buffer.size()};
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(int) * max_passed_fds)> control{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t size = ::recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (size < 0) return size;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
      fds.emplace_back(fd);
    }
  }
  return size;
}

}  // namespace weft
