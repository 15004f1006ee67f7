#include "io/device/interfaces.h"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstring>

#include "base/failure.h"
#include "base/fd.h"

namespace weft {
namespace {

// The socket is kept, because the sandbox forbids if_nametoindex(3), which opens one at each call.
const Fd& query_socket() {
  static const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  return socket;
}

}  // namespace

void prepare_interface_lookup() {
  if (!query_socket()) throw Failure::from_errno("cannot open a socket to look interfaces up");
}

std::uint32_t interface_index(const std::string& name) noexcept {
  ifreq request{};
  if (name.empty() || name.size() >= sizeof request.ifr_name) return 0;
  std::memcpy(request.ifr_name, name.data(), name.size());
  if (::ioctl(query_socket().get(), SIOCGIFINDEX, &request) != 0) return 0;
  return static_cast<std::uint32_t>(request.ifr_ifindex);
}

std::string interface_name(std::uint32_t index) {
  ifreq request{};
  request.ifr_ifindex = static_cast<int>(index);
  if (::ioctl(query_socket().get(), SIOCGIFNAME, &request) != 0) return std::to_string(index);
  return request.ifr_name;
}

}  // namespace weft
