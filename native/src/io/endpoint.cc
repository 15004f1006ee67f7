#include "io/endpoint.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "io/device/interfaces.h"
#include "wire/header.h"

namespace weft {
namespace {

constexpr std::array<std::byte, 12> mapped_prefix{
    std::byte{0}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{0},    std::byte{0},
    std::byte{0}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{0xff}, std::byte{0xff}};

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

bool is_link_local(const std::array<std::byte, 16>& address) {
  return load8(address.data()) == 0xfe && (load8(address.data() + 1) & 0xc0) == 0x80;
}

}  // namespace

Endpoint::Endpoint(const sockaddr_storage& from) noexcept {
  if (from.ss_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &from, sizeof v6);
    std::memcpy(address_.data(), &v6.sin6_addr, address_.size());
    // The scope id matters for link-local addresses only. For others it would make equal addresses differ.
    scope_ = is_link_local(address_) ? v6.sin6_scope_id : 0;
    port_ = ntohs(v6.sin6_port);
  } else if (from.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &from, sizeof v4);
    std::memcpy(address_.data(), mapped_prefix.data(), mapped_prefix.size());
    std::memcpy(address_.data() + mapped_prefix.size(), &v4.sin_addr, sizeof v4.sin_addr);
    port_ = ntohs(v4.sin_port);
  }
}

std::optional<Endpoint> Endpoint::parse(std::string_view text) {
  Endpoint endpoint;
  std::string host;
  std::string_view port;
  if (text.starts_with('[')) {
    const auto close = text.rfind("]:");
    if (close == std::string_view::npos) return std::nullopt;
    host = text.substr(1, close - 1);
    port = text.substr(close + 2);
    if (const auto percent = host.find('%'); percent != std::string::npos) {
      endpoint.scope_ = interface_index(host.substr(percent + 1));
      if (endpoint.scope_ == 0) return std::nullopt;
      host.resize(percent);
    }
    if (::inet_pton(AF_INET6, host.c_str(), endpoint.address_.data()) != 1) return std::nullopt;
  } else {
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
    std::copy(mapped_prefix.begin(), mapped_prefix.end(), endpoint.address_.begin());
    if (::inet_pton(AF_INET, host.c_str(), endpoint.address_.data() + mapped_prefix.size()) != 1)
      return std::nullopt;
  }
  const auto number = parse_port(port);
  if (!number) return std::nullopt;
  endpoint.port_ = *number;
  return endpoint;
}

std::string Endpoint::text() const {
  std::array<char, INET6_ADDRSTRLEN> host{};
  if (is_ipv4()) {
    ::inet_ntop(AF_INET, address_.data() + mapped_prefix.size(), host.data(), host.size());
    return std::string(host.data()) + ":" + std::to_string(port_);
  }
  ::inet_ntop(AF_INET6, address_.data(), host.data(), host.size());
  std::string text = "[" + std::string(host.data());
  if (scope_ != 0) text += "%" + interface_name(scope_);
  return text + "]:" + std::to_string(port_);
}

bool Endpoint::is_ipv4() const noexcept {
  return std::equal(mapped_prefix.begin(), mapped_prefix.end(), address_.begin());
}

Endpoint Endpoint::from_wire(const std::array<std::byte, 16>& address, std::uint16_t port) noexcept {
  Endpoint endpoint;
  endpoint.address_ = address;
  endpoint.port_ = port;
  return endpoint;
}

std::size_t Endpoint::header_overhead() const noexcept {
  return is_ipv4() ? udp_ipv4_overhead : udp_ipv6_overhead;
}

socklen_t Endpoint::to_sockaddr(int family, sockaddr_storage& out) const noexcept {
  if (family == AF_INET6) {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port_);
    std::memcpy(&v6.sin6_addr, address_.data(), address_.size());
    v6.sin6_scope_id = scope_;
    std::memcpy(&out, &v6, sizeof v6);
    return sizeof v6;
  }
  if (!is_ipv4()) return 0;
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port_);
  std::memcpy(&v4.sin_addr, address_.data() + mapped_prefix.size(), sizeof v4.sin_addr);
  std::memcpy(&out, &v4, sizeof v4);
  return sizeof v4;
}

}  // namespace weft
