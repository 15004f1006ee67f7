/// A range of IP addresses, such as 10.0.0.0/8.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "packet/address/ip_address.h"

namespace weft {

class Subnet {
 public:
  /// Parses `10.0.0.0/8` or `2001:db8::/32`.
  static std::optional<Subnet> parse(std::string_view text);
  [[nodiscard]] std::string text() const;
  /// `address` is an IPv6 address, or an IPv4-mapped one (::ffff:a.b.c.d).
  [[nodiscard]] bool contains(const std::array<std::byte, 16>& address) const noexcept;

 private:
  IpAddress address_;
  unsigned bits_ = 0;  // prefix length, of 128
};

using Subnets = std::vector<Subnet>;

/// True if one of the subnets contains the address.
bool contains(const Subnets& subnets, const std::array<std::byte, 16>& address) noexcept;

}  // namespace weft
