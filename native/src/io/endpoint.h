/// Where a peer's UDP socket is: an address and a port, in the kernel's own form so that sending needs no
/// conversion.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace weft {

/// IPv4 addresses are stored IPv4-mapped (::ffff:a.b.c.d), so that each address has one representation.
class Endpoint {
 public:
  Endpoint() noexcept = default;
  /// Takes the source address of a received datagram. Anything but IPv4 and IPv6 gives an empty endpoint.
  explicit Endpoint(const sockaddr_storage& from) noexcept;

  /// Parses `1.2.3.4:6783` or `[fe80::1%eth0]:6783`. Port 0 and host names are refused.
  static std::optional<Endpoint> parse(std::string_view text);
  [[nodiscard]] std::string text() const;

  [[nodiscard]] bool is_ipv4() const noexcept;
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  /// The 16 bytes of the address, as they are in a reply to a probe.
  [[nodiscard]] const std::array<std::byte, 16>& address() const noexcept { return address_; }
  static Endpoint from_wire(const std::array<std::byte, 16>& address, std::uint16_t port) noexcept;

  /// Size of the IP and UDP headers in front of a payload to this endpoint.
  [[nodiscard]] std::size_t header_overhead() const noexcept;

  /// Fills `out` for a socket of `family` and returns the length, or 0 if that family cannot reach it.
  socklen_t to_sockaddr(int family, sockaddr_storage& out) const noexcept;

  [[nodiscard]] bool empty() const noexcept { return port_ == 0; }
  auto operator<=>(const Endpoint&) const noexcept = default;

 private:
  std::array<std::byte, 16> address_{};
  std::uint32_t scope_ = 0;  // interface index of a link-local address
  std::uint16_t port_ = 0;   // host order
};

}  // namespace weft
