#include "io/device/bridge.h"

#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "base/bytes.h"
#include "base/failure.h"
#include "base/fd.h"

namespace weft {
namespace {

// Of linux/if_link.h since Linux 6.8, which is newer than the headers of some distributions.
constexpr unsigned short ifla_br_fdb_max_learned = 49;

/// A message of rtnetlink with nested attributes.
class Message {
 public:
  Message(unsigned short type, int index) {
    auto& header = *reinterpret_cast<nlmsghdr*>(bytes_.data());
    header.nlmsg_type = type;
    header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    reinterpret_cast<ifinfomsg*>(NLMSG_DATA(&header))->ifi_index = index;
    size_ = NLMSG_LENGTH(sizeof(ifinfomsg));
  }
  void put(unsigned short type, const void* value, std::size_t size) {
    const std::size_t at = begin(type);
    std::memcpy(bytes_.data() + size_, value, size);
    size_ += size;
    end(at);
  }
  std::size_t begin(unsigned short type) {
    const std::size_t at = size_;
    attribute(at).rta_type = type;
    size_ += RTA_LENGTH(0);
    return at;
  }
  void end(std::size_t at) {
    attribute(at).rta_len = static_cast<unsigned short>(size_ - at);
    size_ = NLMSG_ALIGN(size_);
  }
  [[nodiscard]] ConstBytes finish() {
    reinterpret_cast<nlmsghdr*>(bytes_.data())->nlmsg_len = static_cast<std::uint32_t>(size_);
    return ConstBytes{bytes_}.first(size_);
  }

 private:
  rtattr& attribute(std::size_t at) { return *reinterpret_cast<rtattr*>(bytes_.data() + at); }

  alignas(nlmsghdr) std::array<std::byte, 256> bytes_{};
  std::size_t size_ = 0;
};

// Throws what the kernel answers.
void request(ConstBytes message) {
  const Fd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  alignas(nlmsghdr) std::array<std::byte, 4096> answer{};
  const bool answered = socket && ::send(socket.get(), message.data(), message.size(), 0) > 0 &&
                        ::recv(socket.get(), answer.data(), answer.size(), 0) >=
                            static_cast<ssize_t>(NLMSG_LENGTH(sizeof(nlmsgerr)));
  if (!answered) throw Failure::from_errno("cannot ask the kernel by rtnetlink");
  errno = -reinterpret_cast<const nlmsgerr*>(NLMSG_DATA(answer.data()))->error;
  if (errno != 0) throw Failure::from_errno("the kernel refused it");
}

}  // namespace

void limit_learning(const std::string& bridge, std::uint32_t addresses) {
  const unsigned index = ::if_nametoindex(bridge.c_str());
  if (index == 0) throw Failure::from_errno("there is no bridge " + bridge);
  constexpr std::string_view kind = "bridge";
  Message message(RTM_NEWLINK, static_cast<int>(index));
  const std::size_t info = message.begin(IFLA_LINKINFO);
  message.put(IFLA_INFO_KIND, kind.data(), kind.size());
  const std::size_t data = message.begin(IFLA_INFO_DATA);
  message.put(ifla_br_fdb_max_learned, &addresses, sizeof addresses);
  message.end(data);
  message.end(info);
  request(message.finish());
}

}  // namespace weft
