#include "io/udp_socket.h"

#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/udp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <string>

#include "base/failure.h"

namespace weft {
namespace {

// The buffer holds the burst of a TCP window; with UDP_GRO the kernel accounts whole batches.
constexpr int socket_buffer_bytes = 8 << 20;
constexpr int lane_offset = 1;

template <typename T>
bool set_option(int fd, int level, int name, const T& value) {
  return ::setsockopt(fd, level, name, &value, sizeof value) == 0;
}

// Sets DF and makes the kernel ignore its own path MTU, because this forwarder probes for it.
bool forbid_fragmentation(int fd, int family) {
  const bool v4 = set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, int{IP_PMTUDISC_PROBE});
  if (family == AF_INET) return v4;
  return v4 && set_option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, int{IPV6_PMTUDISC_PROBE});
}

// On a dual-stack socket IPV6_RECVPKTINFO covers IPv4 datagrams too, with an IPv4-mapped address.
bool tell_destination(int fd, int family) {
  if (family == AF_INET) return set_option(fd, IPPROTO_IP, IP_PKTINFO, int{1});
  return set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, int{1});
}

// Space for all the ancillary data of a datagram, in either direction.
using ControlBuffer =
    std::array<std::byte, CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(std::uint16_t))>;
static_assert(CMSG_SPACE(sizeof(in_pktinfo)) <= CMSG_SPACE(sizeof(in6_pktinfo)));
static_assert(CMSG_SPACE(sizeof(int)) <= CMSG_SPACE(sizeof(std::uint16_t)));

/// Appends control messages (cmsg(3)) to `message`.
class ControlWriter {
 public:
  ControlWriter(msghdr& message, Bytes room) noexcept : message_(message), room_(room) {}

  template <typename T>
  void put(int level, int type, const T& value) noexcept {
    cmsghdr header{};
    header.cmsg_level = level;
    header.cmsg_type = type;
    header.cmsg_len = CMSG_LEN(sizeof value);
    std::memcpy(&room_[message_.msg_controllen], &header, sizeof header);
    std::memcpy(&room_[message_.msg_controllen + CMSG_LEN(0)], &value, sizeof value);
    message_.msg_control = room_.data();
    message_.msg_controllen += CMSG_SPACE(sizeof value);
  }

  void put_source(int family, const IpAddress& from) noexcept {
    if (from.empty()) return;
    if (family == AF_INET) {
      in_pktinfo info{};
      std::memcpy(&info.ipi_spec_dst, from.ipv4_bytes(), sizeof info.ipi_spec_dst);
      put(IPPROTO_IP, IP_PKTINFO, info);
    } else {
      in6_pktinfo info{};
      std::memcpy(&info.ipi6_addr, from.bytes().data(), sizeof info.ipi6_addr);
      put(IPPROTO_IPV6, IPV6_PKTINFO, info);
    }
  }

 private:
  msghdr& message_;
  Bytes room_;
};

// With CAP_NET_ADMIN the buffer may exceed net.core.rmem_max or wmem_max.
void enlarge_buffer(int fd, int force, int plain) {
  if (!set_option(fd, SOL_SOCKET, force, socket_buffer_bytes))
    set_option(fd, SOL_SOCKET, plain, socket_buffer_bytes);
}

// Whoever sends to a port from which nothing is read must not fill the socket's buffer.
void receive_nothing(int fd) {
  std::array<sock_filter, 1> code{{BPF_STMT(BPF_RET | BPF_K, 0)}};
  const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
  if (!set_option(fd, SOL_SOCKET, SO_ATTACH_FILTER, program))
    throw Failure::from_errno("cannot close a UDP port to the outside");
}

void steer_by_lane(int fd, unsigned workers) {
  std::array<sock_filter, 3> code{{
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, lane_offset),
      BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, workers),
      BPF_STMT(BPF_RET | BPF_A, 0),
  }};
  const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
  if (!set_option(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, program))
    throw Failure::from_errno("cannot steer UDP datagrams by lane");
}

int supported_family() {
  const Fd probe(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!probe) return AF_INET;
  // Where IPv6 is compiled in but disabled, the socket opens and only binding to :: fails.
  sockaddr_in6 any{};
  any.sin6_family = AF_INET6;
  return ::bind(probe.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any) == 0 ? AF_INET6 : AF_INET;
}

void bind_any(int fd, int family, std::uint16_t port) {
  sockaddr_storage any{};
  socklen_t length = 0;
  if (family == AF_INET6) {
    set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, int{0});
    auto& v6 = reinterpret_cast<sockaddr_in6&>(any);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    length = sizeof v6;
  } else {
    auto& v4 = reinterpret_cast<sockaddr_in&>(any);
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    length = sizeof v4;
  }
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&any), length) != 0)
    throw Failure::from_errno("cannot use UDP port " + std::to_string(port));
}

Fd open_datagram_socket(int family) {
  Fd fd(::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) throw Failure::from_errno("cannot open a UDP socket");
  return fd;
}

// Binding without SO_REUSEPORT fails if another process holds the port, even one that has set SO_REUSEPORT.
void refuse_port_in_use(int family, std::uint16_t port) {
  const Fd trial = open_datagram_socket(family);
  bind_any(trial.get(), family, port);
}

}  // namespace

std::uint16_t UdpSocket::port() const noexcept {
  sockaddr_storage own{};
  socklen_t length = sizeof own;
  if (::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&own), &length) != 0) return 0;
  return Endpoint(own).port();
}

int UdpSocket::send(const sockaddr_storage& to, socklen_t to_length, const IpAddress& from,
                    ConstBytes payload, std::size_t segment_size) const noexcept {
  iovec data{const_cast<std::byte*>(payload.data()), payload.size()};
  msghdr message{};
  message.msg_name = const_cast<sockaddr_storage*>(&to);
  message.msg_namelen = to_length;
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  alignas(cmsghdr) ControlBuffer control{};
  ControlWriter writer(message, control);
  if (segment_size != 0 && segment_size < payload.size())
    writer.put(SOL_UDP, UDP_SEGMENT, static_cast<std::uint16_t>(segment_size));
  writer.put_source(family_, from);
  return ::sendmsg(fd_.get(), &message, MSG_DONTWAIT) < 0 ? errno : 0;
}

int UdpSocket::send_each(const sockaddr_storage& to, socklen_t to_length, const IpAddress& from,
                         ConstBytes payload, std::size_t segment_size) const noexcept {
  msghdr shared{};
  shared.msg_name = const_cast<sockaddr_storage*>(&to);
  shared.msg_namelen = to_length;
  shared.msg_iovlen = 1;
  alignas(cmsghdr) ControlBuffer control{};
  ControlWriter(shared, control).put_source(family_, from);
  std::array<mmsghdr, max_segments> messages{};
  std::array<iovec, max_segments> parts{};
  int first_error = 0;
  while (!payload.empty()) {
    unsigned count = 0;
    while (!payload.empty() && count < max_segments) {
      const std::size_t size = std::min(segment_size, payload.size());
      parts[count] = {const_cast<std::byte*>(payload.data()), size};
      messages[count] = {.msg_hdr = shared, .msg_len = 0};
      messages[count].msg_hdr.msg_iov = &parts[count];
      payload = payload.subspan(size);
      ++count;
    }
    for (unsigned done = 0; done < count;) {
      const int sent = ::sendmmsg(fd_.get(), &messages[done], count - done, MSG_DONTWAIT);
      if (sent > 0) {
        done += static_cast<unsigned>(sent);
        continue;
      }
      if (first_error == 0) first_error = errno;
      ++done;
    }
  }
  return first_error;
}

int UdpSocket::receive(Bytes buffer, Received& out) const noexcept {
  iovec data{buffer.data(), buffer.size()};
  alignas(cmsghdr) ControlBuffer control;
  msghdr message{};
  message.msg_name = &out.from;
  message.msg_namelen = sizeof out.from;
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t size = ::recvmsg(fd_.get(), &message, MSG_DONTWAIT);
  if (size < 0) return errno;
  out.size = static_cast<std::size_t>(size);
  out.segment_size = out.size;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    const auto* const value = reinterpret_cast<const std::byte*>(CMSG_DATA(header));
    if (header->cmsg_level == SOL_UDP && header->cmsg_type == UDP_GRO) {
      int segment = 0;
      std::memcpy(&segment, value, sizeof segment);
      if (segment > 0) out.segment_size = static_cast<std::size_t>(segment);
    } else if (header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_PKTINFO) {
      out.to = IpAddress::ipv6(value + offsetof(in6_pktinfo, ipi6_addr));
    } else if (header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_PKTINFO) {
      out.to = IpAddress::ipv4(value + offsetof(in_pktinfo, ipi_spec_dst));
    }
  }
  return 0;
}

bool UdpSocket::set_gro(bool enabled) const noexcept {
  return set_option(fd_.get(), SOL_UDP, UDP_GRO, int{enabled ? 1 : 0});
}

std::vector<UdpSocket> bind_udp_group(std::uint16_t port, unsigned workers) {
  const int family = supported_family();
  refuse_port_in_use(family, port);
  std::vector<UdpSocket> sockets;
  sockets.reserve(workers);
  for (unsigned i = 0; i < workers; ++i) {
    Fd fd = open_datagram_socket(family);
    if (!set_option(fd.get(), SOL_SOCKET, SO_REUSEPORT, int{1})) throw Failure::from_errno("SO_REUSEPORT");
    if (!forbid_fragmentation(fd.get(), family))
      throw Failure::from_errno("cannot forbid fragmentation of UDP datagrams");
    if (!tell_destination(fd.get(), family)) throw Failure::from_errno("IP_PKTINFO");
    enlarge_buffer(fd.get(), SO_RCVBUFFORCE, SO_RCVBUF);
    enlarge_buffer(fd.get(), SO_SNDBUFFORCE, SO_SNDBUF);
    bind_any(fd.get(), family, port);
    sockets.emplace_back(std::move(fd), family);
  }
  steer_by_lane(sockets.front().fd(), workers);
  return sockets;
}

UdpSocket open_udp_source() {
  const int family = supported_family();
  Fd fd = open_datagram_socket(family);
  receive_nothing(fd.get());
  if (!forbid_fragmentation(fd.get(), family))
    throw Failure::from_errno("cannot forbid fragmentation of UDP datagrams");
  enlarge_buffer(fd.get(), SO_SNDBUFFORCE, SO_SNDBUF);
  bind_any(fd.get(), family, 0);
  return {std::move(fd), family};
}

}  // namespace weft
