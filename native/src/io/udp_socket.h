/// The UDP sockets of the data plane: one a worker on one port, steered by the lane byte.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/fd.h"
#include "io/endpoint.h"
#include "packet/address/ip_address.h"

namespace weft {

/// The kernel takes 64 segments in one UDP_SEGMENT send (128 from Linux 6.9).
inline constexpr std::size_t max_segments = 64;
/// Total payload of one UDP_SEGMENT send; the kernel's own limit is 65,535 with the headers of one datagram.
inline constexpr std::size_t max_segmented_payload = 65'000;

/// What `receive` filled a buffer with.
struct Received {
  std::size_t size = 0;          ///< bytes, all datagrams together
  std::size_t segment_size = 0;  ///< of every datagram but the last, which may be shorter
  sockaddr_storage from{};
  IpAddress to;  ///< the address of ours that it was sent to
};

class UdpSocket {
 public:
  UdpSocket(Fd fd, int family) noexcept : fd_(std::move(fd)), family_(family) {}

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  /// AF_INET6 (dual stack), or AF_INET where the kernel has no IPv6.
  [[nodiscard]] int family() const noexcept { return family_; }

  /// Sends `payload` as one datagram, or as many of `segment_size` bytes when that is not 0, from one
  /// of our addresses, or from what the kernel chooses when `from` is empty. Returns 0 or an errno.
  [[nodiscard]] int send(const sockaddr_storage& to, socklen_t to_length, const IpAddress& from,
                         ConstBytes payload, std::size_t segment_size) const noexcept;

  /// Sends `payload` in datagrams of `segment_size` without help of UDP_SEGMENT. Returns 0 or the first
  /// errno; the datagrams behind a failed one are tried too.
  [[nodiscard]] int send_each(const sockaddr_storage& to, socklen_t to_length, const IpAddress& from,
                              ConstBytes payload, std::size_t segment_size) const noexcept;

  /// Takes what one recvmsg gives. Returns 0 or an errno (EAGAIN: nothing waits).
  [[nodiscard]] int receive(Bytes buffer, Received& out) const noexcept;

  /// Lets the kernel hand over several datagrams of one flow at once. False if it cannot.
  [[nodiscard]] bool set_gro(bool enabled) const noexcept;

 private:
  Fd fd_;
  int family_;
};

/// Binds `workers` sockets to `port` on all addresses. The kernel gives a datagram to the socket number
/// (lane byte mod workers), so that a lane of a peer is always one worker's. Throws Failure if another
/// process has the port.
std::vector<UdpSocket> bind_udp_group(std::uint16_t port, unsigned workers);

}  // namespace weft
