/// An IPv4 or IPv6 address of a container, a multicast group, or this host.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace weft {

/// IPv4 addresses are stored IPv4-mapped (::ffff:a.b.c.d), so that each address has one representation.
class IpAddress {
 public:
  constexpr IpAddress() noexcept = default;
  /// Takes the 4 or 16 bytes of an address in a header.
  static IpAddress ipv4(const std::byte* from) noexcept {
    IpAddress address;
    store16(&address.bytes_[10], 0xffff);
    std::memcpy(&address.bytes_[12], from, 4);
    return address;
  }
  static IpAddress ipv6(const std::byte* from) noexcept {
    IpAddress address;
    std::memcpy(address.bytes_.data(), from, address.bytes_.size());
    return address;
  }
  static std::optional<IpAddress> parse(std::string_view text);
  [[nodiscard]] std::string text() const;

  [[nodiscard]] bool empty() const noexcept { return *this == IpAddress{}; }
  [[nodiscard]] bool is_ipv4() const noexcept {
    return load64(bytes_.data()) == 0 && load32(&bytes_[8]) == 0xffff;
  }
  /// The 16 bytes of the address. The last 4 of them are an IPv4 address.
  [[nodiscard]] const std::array<std::byte, 16>& bytes() const noexcept { return bytes_; }
  [[nodiscard]] const std::byte* ipv4_bytes() const noexcept { return &bytes_[12]; }

  auto operator<=>(const IpAddress&) const noexcept = default;  // NOLINT(modernize-use-nullptr)

 private:
  std::array<std::byte, 16> bytes_{};
};

/// The finaliser of SplitMix64, which spreads numbers that follow a pattern.
constexpr std::uint64_t mix(std::uint64_t value) noexcept {
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
  value = (value ^ value >> 27) * 0x94d049bb133111eb;
  return value ^ value >> 31;
}

/// A random seed, different in each process. Anybody can choose the keys of a table, and without the seed
/// could choose ones that collide.
extern const std::uint64_t hash_seed;

/// Key of a table of addresses on the segments of this host.
struct SegmentAddress {
  std::uint16_t network = 0;
  IpAddress address;

  auto operator<=>(const SegmentAddress&) const noexcept = default;  // NOLINT(modernize-use-nullptr)
};

struct SegmentAddressHash {
  std::size_t operator()(const SegmentAddress& key) const noexcept {
    const auto& bytes = key.address.bytes();
    return mix(mix((load64(bytes.data()) ^ hash_seed) + key.network) ^ load64(&bytes[8]));
  }
};

}  // namespace weft
