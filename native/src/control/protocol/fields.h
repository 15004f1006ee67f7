/// Reads and checks the fields of a request on the control socket. A wrong field is refused with a code and a
/// sentence.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "io/endpoint.h"
#include "packet/address/ip_address.h"
#include "packet/address/subnet.h"
#include "packet/parse.h"
#include "wire/header.h"

namespace weft {

using Json = nlohmann::json;

/// The `error` of an answer.
class RequestError : public std::runtime_error {
 public:
  RequestError(std::string code, const std::string& message)
      : std::runtime_error(message), code_(std::move(code)) {}
  [[nodiscard]] const std::string& code() const noexcept { return code_; }

 private:
  std::string code_;
};

/// A view of one request. Every reader throws RequestError `bad-request` when the field is missing or
/// invalid.
class Fields {
 public:
  explicit Fields(const Json& request) : request_(request) {}

  /// False for a field that is absent or null.
  [[nodiscard]] bool has(std::string_view name) const { return optional_field(name) != nullptr; }
  [[nodiscard]] std::uint64_t number(std::string_view name, std::uint64_t min, std::uint64_t max) const;
  [[nodiscard]] std::uint64_t number_or(std::string_view name, std::uint64_t min, std::uint64_t max,
                                        std::uint64_t absent) const;
  [[nodiscard]] bool boolean(std::string_view name) const;
  [[nodiscard]] const std::string& text(std::string_view name) const;
  [[nodiscard]] PeerId peer(std::string_view name) const;
  /// Returns nothing for a field that is absent or null.
  [[nodiscard]] std::optional<PeerId> peer_or_none(std::string_view name) const;
  [[nodiscard]] std::vector<Endpoint> endpoints(std::string_view name, std::size_t max) const;
  [[nodiscard]] MacAddress mac(std::string_view name) const;
  [[nodiscard]] std::vector<IpAddress> addresses(std::string_view name, std::size_t max) const;
  /// Returns an empty list for an absent field.
  [[nodiscard]] Subnets subnets(std::string_view name, std::size_t max) const;
  [[nodiscard]] std::vector<std::uint16_t> networks(std::string_view name) const;
  /// Decodes a field that is the Base64 of exactly `N` bytes.
  template <std::size_t N>
  [[nodiscard]] Secret<N> secret(std::string_view name) const {
    Secret<N> secret;
    decode_base64(name, secret.mutable_bytes());
    return secret;
  }

 private:
  [[nodiscard]] const Json& field(std::string_view name) const;
  [[nodiscard]] const Json* optional_field(std::string_view name) const;
  void decode_base64(std::string_view name, Bytes out) const;

  const Json& request_;
};

}  // namespace weft
