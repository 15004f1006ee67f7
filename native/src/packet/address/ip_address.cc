#include "packet/address/ip_address.h"

#include <arpa/inet.h>
#include <sys/random.h>

namespace weft {

const std::uint64_t hash_seed = [] {
  std::uint64_t seed = 0;
  // getrandom(2) fills requests of up to 256 bytes completely, and blocks until it can.
  [[maybe_unused]] const auto size = ::getrandom(&seed, sizeof seed, 0);
  return seed;
}();

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  const std::string copy(text);
  std::array<std::byte, 16> bytes{};
  if (::inet_pton(AF_INET, copy.c_str(), bytes.data()) == 1) return ipv4(bytes.data());
  if (::inet_pton(AF_INET6, copy.c_str(), bytes.data()) == 1) return ipv6(bytes.data());
  return std::nullopt;
}

std::string IpAddress::text() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (is_ipv4())
    ::inet_ntop(AF_INET, ipv4_bytes(), text.data(), text.size());
  else
    ::inet_ntop(AF_INET6, bytes_.data(), text.data(), text.size());
  return text.data();
}

}  // namespace weft
