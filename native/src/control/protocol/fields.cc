#include "control/protocol/fields.h"

#include <sodium.h>

#include <array>
#include <charconv>

namespace weft {
namespace {

[[noreturn]] void refuse(std::string_view name, const std::string& expected) {
  throw RequestError("bad-request", "field '" + std::string(name) + "' must be " + expected);
}

PeerId parse_peer(std::string_view name, const Json& value) {
  constexpr std::size_t digits = 16;
  const std::string expected = "a peer id of 16 hex digits, not all 0";
  if (!value.is_string()) refuse(name, expected);
  const auto& text = value.get_ref<const std::string&>();
  PeerId peer = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), peer, 16);
  if (text.size() != digits || error != std::errc{} || end != text.data() + text.size() || peer == 0)
    refuse(name, expected);
  return peer;
}

}  // namespace

const Json* Fields::optional_field(std::string_view name) const {
  const auto at = request_.find(name);
  return at == request_.end() || at->is_null() ? nullptr : &*at;
}

const Json& Fields::field(std::string_view name) const {
  const Json* value = optional_field(name);
  if (value == nullptr) refuse(name, "given");
  return *value;
}

std::uint64_t Fields::number(std::string_view name, std::uint64_t min, std::uint64_t max) const {
  const Json& value = field(name);
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() < min || value.get<std::uint64_t>() > max)
    refuse(name, "a whole number from " + std::to_string(min) + " to " + std::to_string(max));
  return value.get<std::uint64_t>();
}

std::uint64_t Fields::number_or(std::string_view name, std::uint64_t min, std::uint64_t max,
                                std::uint64_t absent) const {
  return optional_field(name) == nullptr ? absent : number(name, min, max);
}

bool Fields::boolean(std::string_view name) const {
  const Json& value = field(name);
  if (!value.is_boolean()) refuse(name, "true or false");
  return value.get<bool>();
}

const std::string& Fields::text(std::string_view name) const {
  const Json& value = field(name);
  if (!value.is_string()) refuse(name, "a string");
  return value.get_ref<const std::string&>();
}

PeerId Fields::peer(std::string_view name) const {
  return parse_peer(name, field(name));
}

std::optional<PeerId> Fields::peer_or_none(std::string_view name) const {
  const Json* value = optional_field(name);
  return value == nullptr ? std::nullopt : std::optional(parse_peer(name, *value));
}

std::vector<Endpoint> Fields::endpoints(std::string_view name, std::size_t max) const {
  const std::string expected =
      "a list of at most " + std::to_string(max) + " endpoints such as 192.0.2.1:6783 or [2001:db8::1]:6783";
  const Json& value = field(name);
  if (!value.is_array() || value.size() > max) refuse(name, expected);
  std::vector<Endpoint> endpoints;
  for (const Json& item : value) {
    const auto endpoint =
        item.is_string() ? Endpoint::parse(item.get_ref<const std::string&>()) : std::nullopt;
    if (!endpoint) refuse(name, expected);
    endpoints.push_back(*endpoint);
  }
  return endpoints;
}

MacAddress Fields::mac(std::string_view name) const {
  const std::string expected = "a MAC address such as 02:00:00:00:00:0a";
  const std::string& digits = text(name);
  MacAddress mac{};
  if (digits.size() != 3 * mac.size() - 1) refuse(name, expected);
  for (std::size_t i = 0; i < mac.size(); ++i) {
    const char* at = digits.data() + 3 * i;
    std::uint8_t byte = 0;
    const auto [end, error] = std::from_chars(at, at + 2, byte, 16);
    if (error != std::errc{} || end != at + 2 || (i > 0 && at[-1] != ':')) refuse(name, expected);
    mac[i] = std::byte{byte};
  }
  return mac;
}

std::vector<IpAddress> Fields::addresses(std::string_view name, std::size_t max) const {
  const std::string expected = "a list of at most " + std::to_string(max) + " IP addresses";
  const Json& value = field(name);
  if (!value.is_array() || value.size() > max) refuse(name, expected);
  std::vector<IpAddress> addresses;
  for (const Json& item : value) {
    const auto address =
        item.is_string() ? IpAddress::parse(item.get_ref<const std::string&>()) : std::nullopt;
    if (!address) refuse(name, expected);
    addresses.push_back(*address);
  }
  return addresses;
}

Subnets Fields::subnets(std::string_view name, std::size_t max) const {
  const std::string expected = "a list of at most " + std::to_string(max) + " subnets such as 10.0.0.0/8";
  const Json* value = optional_field(name);
  if (value == nullptr) return {};
  if (!value->is_array() || value->size() > max) refuse(name, expected);
  Subnets subnets;
  for (const Json& item : *value) {
    const auto subnet = item.is_string() ? Subnet::parse(item.get_ref<const std::string&>()) : std::nullopt;
    if (!subnet) refuse(name, expected);
    subnets.push_back(*subnet);
  }
  return subnets;
}

std::vector<std::uint16_t> Fields::networks(std::string_view name) const {
  const Json& value = field(name);
  if (!value.is_array()) refuse(name, "a list of network numbers");
  std::vector<std::uint16_t> numbers;
  for (const Json& item : value) {
    if (!item.is_number_unsigned() || item.get<std::uint64_t>() > UINT16_MAX)
      refuse(name, "a list of network numbers from 0 to 65535");
    numbers.push_back(item.get<std::uint16_t>());
  }
  return numbers;
}

void Fields::decode_base64(std::string_view name, Bytes out) const {
  const std::string& encoded = text(name);
  std::size_t size = 0;
  const int failed =
      sodium_base642bin(reinterpret_cast<unsigned char*>(out.data()), out.size(), encoded.data(),
                        encoded.size(), nullptr, &size, nullptr, sodium_base64_VARIANT_ORIGINAL);
  if (failed != 0 || size != out.size()) refuse(name, "base64 of " + std::to_string(out.size()) + " bytes");
}

}  // namespace weft
