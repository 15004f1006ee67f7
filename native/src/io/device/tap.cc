#include "io/device/tap.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include <cstring>

#include "base/failure.h"

namespace weft {
namespace {

// These flags of linux/if_tun.h came with Linux 6.2, which is newer than the headers of some distributions.
constexpr unsigned tun_f_uso4 = 0x20;
constexpr unsigned tun_f_uso6 = 0x40;

constexpr short queue_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE;

Fd open_queue(const std::string& name) {
  Fd fd(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!fd) throw Failure::from_errno("cannot open /dev/net/tun");
  ifreq request{};
  request.ifr_flags = queue_flags;
  std::memcpy(request.ifr_name, name.data(), name.size());
  if (::ioctl(fd.get(), TUNSETIFF, &request) != 0)
    throw Failure::from_errno("cannot open a queue of TAP " + name);
  return fd;
}

}  // namespace

std::vector<Fd> open_tap(const std::string& name, unsigned queues) {
  if (name.empty() || name.size() >= IFNAMSIZ) throw Failure("the name of a TAP has 1 to 15 bytes");
  std::vector<Fd> fds;
  fds.reserve(queues);
  for (unsigned i = 0; i < queues; ++i)
    fds.push_back(open_queue(name));
  if (::ioctl(fds.front().get(), TUNSETPERSIST, 1) != 0)
    throw Failure::from_errno("cannot make TAP " + name + " persistent");
  return fds;
}

bool set_tap_offloads(int queue, TapOffloads offloads) noexcept {
  unsigned flags = 0;
  if (offloads.checksum) {
    flags |= TUN_F_CSUM;
    if (offloads.tso) flags |= TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
    if (offloads.uso) flags |= tun_f_uso4 | tun_f_uso6;
  }
  return ::ioctl(queue, TUNSETOFFLOAD, static_cast<unsigned long>(flags)) == 0;
}

bool is_tap_queue(int fd, const std::string& name) noexcept {
  ifreq request{};
  if (::ioctl(fd, TUNGETIFF, &request) != 0) return false;
  return (request.ifr_flags & (IFF_TAP | IFF_VNET_HDR)) == (IFF_TAP | IFF_VNET_HDR) &&
         name == request.ifr_name;
}

}  // namespace weft
