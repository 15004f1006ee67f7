#include "control/protocol/text.h"

#include <string_view>

namespace weft {
namespace {

constexpr std::string_view digits = "0123456789abcdef";

}  // namespace

std::string peer_text(PeerId peer) {
  std::string text(16, '0');
  for (auto at = text.rbegin(); at != text.rend(); ++at, peer >>= 4)
    *at = digits[peer & 0xf];
  return text;
}

std::string mac_text(const MacAddress& mac) {
  std::string text;
  for (const std::byte byte : mac) {
    if (!text.empty()) text += ':';
    text += digits[std::to_integer<unsigned>(byte) >> 4];
    text += digits[std::to_integer<unsigned>(byte) & 0xf];
  }
  return text;
}

nlohmann::json texts_of(std::span<const IpAddress> addresses) {
  nlohmann::json texts = nlohmann::json::array();
  for (const IpAddress& address : addresses)
    texts.push_back(address.text());
  return texts;
}

}  // namespace weft
