#include "packet/address/subnet.h"

#include <algorithm>
#include <charconv>

namespace weft {
namespace {

// An IPv4-mapped address has 96 bits in front of the IPv4 address, which are the same in all of them.
constexpr unsigned ipv4_offset = 96;
constexpr unsigned address_bits = 128;

}  // namespace

std::optional<Subnet> Subnet::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  const std::string_view digits = text.substr(slash + 1);
  unsigned prefix = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
  const unsigned offset = address->is_ipv4() ? ipv4_offset : 0;
  if (error != std::errc{} || end != digits.data() + digits.size() || prefix > address_bits - offset)
    return std::nullopt;
  Subnet subnet;
  subnet.address_ = *address;
  subnet.bits_ = offset + prefix;
  return subnet;
}

std::string Subnet::text() const {
  return address_.text() + "/" + std::to_string(bits_ - (address_.is_ipv4() ? ipv4_offset : 0));
}

bool Subnet::contains(const std::array<std::byte, 16>& address) const noexcept {
  const auto& ours = address_.bytes();
  const std::size_t whole = bits_ / 8;
  if (!std::equal(ours.begin(), ours.begin() + static_cast<std::ptrdiff_t>(whole), address.begin()))
    return false;
  const unsigned rest = bits_ % 8;
  if (rest == 0) return true;
  const auto differing = std::to_integer<unsigned>(ours[whole] ^ address[whole]);
  return differing >> (8 - rest) == 0;
}

bool contains(const Subnets& subnets, const std::array<std::byte, 16>& address) noexcept {
  return std::any_of(subnets.begin(), subnets.end(),
                     [&](const Subnet& subnet) { return subnet.contains(address); });
}

}  // namespace weft
