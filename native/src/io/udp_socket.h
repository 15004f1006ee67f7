/// The UDP sockets of the data plane: one for each worker, all on one port, between which datagrams are
/// distributed by their lane byte.
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

/// Maximum number of segments that the kernel takes in one UDP_SEGMENT send (128 from Linux 6.9).
inline constexpr std::size_t max_segments = 64;
/// Maximum payload of one UDP_SEGMENT send. The kernel's own limit is 65,535 with the headers of one
/// datagram.
inline constexpr std::size_t max_segmented_payload = 65'000;

/// The result of `receive`.
struct Received {
  std::size_t size = 0;          ///< bytes of all datagrams together
  std::size_t segment_size = 0;  ///< of every datagram but the last, which may be shorter
  sockaddr_storage from{};
  IpAddress to;  ///< our address that the datagram was sent to
};

class UdpSocket {
 public:
  UdpSocket(Fd fd, int family) noexcept : fd_(std::move(fd)), family_(family) {}

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  /// AF_INET6 (dual-stack), or AF_INET where the kernel has no IPv6.
  [[nodiscard]] int family() const noexcept { return family_; }

  /// The port that it is bound to; 0 if the kernel does not tell.
  [[nodiscard]] std::uint16_t port() const noexcept;

  /// Sends `payload` as one datagram, or as several of `segment_size` bytes if that is not 0. The source is
  /// `from`, or the kernel's choice if `from` is empty. Returns 0 or an errno.
  [[nodiscard]] int send(const sockaddr_storage& to, socklen_t to_length, const IpAddress& from,
                         ConstBytes payload, std::size_t segment_size) const noexcept;

  /// Sends `payload` in datagrams of `segment_size` bytes without UDP_SEGMENT. Returns 0 or the first errno;
  /// datagrams behind a failed one are still tried.
  [[nodiscard]] int send_each(const sockaddr_storage& to, socklen_t to_length, const IpAddress& from,
                              ConstBytes payload, std::size_t segment_size) const noexcept;

  /// Receives with one recvmsg call. Returns 0 or an errno (EAGAIN if nothing is waiting).
  [[nodiscard]] int receive(Bytes buffer, Received& out) const noexcept;

  /// Sets UDP_GRO, with which the kernel delivers several datagrams of one flow at once. Returns false if it
  /// cannot.
  [[nodiscard]] bool set_gro(bool enabled) const noexcept;

 private:
  Fd fd_;
  int family_;
};

/// Binds `workers` sockets to `port` on all addresses. The kernel delivers a datagram to the socket whose
/// number is the lane byte modulo `workers`, so that each lane of a peer is handled by one worker. Throws
/// Failure if another process holds the port.
std::vector<UdpSocket> bind_udp_group(std::uint16_t port, unsigned workers);

/// Binds a socket that only sends to a port of the kernel's choice. Throws Failure.
UdpSocket open_udp_source();

}  // namespace weft
