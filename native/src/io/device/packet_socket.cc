#include "io/device/packet_socket.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "base/failure.h"

namespace weft {
namespace {

// What a peer sends in a second is far less. More would be work that strangers could heap up.
constexpr int receive_buffer = 256 << 10;

// Before Linux 4.20 headers.
#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

void set_option(int fd, int level, int name, const void* value, socklen_t size) {
  if (::setsockopt(fd, level, name, value, size) != 0)
    throw Failure::from_errno("cannot set up a packet socket");
}

// Nobody can take the filter away, not even who gets the socket.
void filter(int fd, std::uint16_t ethertype, std::uint64_t magic) {
  constexpr auto load_half = static_cast<std::uint16_t>(BPF_LD | BPF_H | BPF_ABS);
  constexpr auto load_word = static_cast<std::uint16_t>(BPF_LD | BPF_W | BPF_ABS);
  constexpr auto equal = static_cast<std::uint16_t>(BPF_JMP | BPF_JEQ | BPF_K);
  constexpr auto give = static_cast<std::uint16_t>(BPF_RET | BPF_K);
  std::array<sock_filter, 8> program{{{load_half, 0, 0, 12},
                                      {equal, 0, 5, ethertype},
                                      {load_word, 0, 0, 14},
                                      {equal, 0, 3, static_cast<std::uint32_t>(magic >> 32)},
                                      {load_word, 0, 0, 18},
                                      {equal, 0, 1, static_cast<std::uint32_t>(magic)},
                                      {give, 0, 0, UINT32_MAX},
                                      {give, 0, 0, 0}}};
  const sock_fprog whole{program.size(), program.data()};
  const int lock = 1;
  set_option(fd, SOL_SOCKET, SO_ATTACH_FILTER, &whole, sizeof whole);
  set_option(fd, SOL_SOCKET, SO_LOCK_FILTER, &lock, sizeof lock);
}

}  // namespace

Fd open_packet_socket(const std::string& name, std::uint16_t ethertype, std::uint64_t magic) {
  // Of protocol 0 it gets nothing before it is bound.
  Fd fd(::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) throw Failure::from_errno("cannot open a packet socket");
  filter(fd.get(), ethertype, magic);
  set_option(fd.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  if (!ignore_outgoing(fd.get())) throw Failure::from_errno("cannot set up a packet socket");
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  // A bridge takes the frames of its ports before anybody who asks for one EtherType, but after this.
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(::if_nametoindex(name.c_str()));
  if (address.sll_ifindex == 0) throw Failure::from_errno("there is no interface " + name);
  int error = 0;
  socklen_t length = sizeof error;
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &length) != 0)
    throw Failure::from_errno("cannot open a packet socket on " + name);
  errno = error;
  if (error != 0) throw Failure::from_errno("the interface " + name + " cannot be used");
  return fd;
}

bool ignore_outgoing(int fd) noexcept {
  const int on = 1;
  return ::setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) == 0;
}

}  // namespace weft
