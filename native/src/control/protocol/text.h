/// Text form of ids and addresses on the control socket.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "packet/address/ip_address.h"
#include "packet/parse.h"
#include "wire/header.h"

namespace weft {

/// 16 hex digits.
std::string peer_text(PeerId peer);

/// `aa:bb:cc:dd:ee:ff`.
std::string mac_text(const MacAddress& mac);

/// A list of addresses.
nlohmann::json texts_of(std::span<const IpAddress> addresses);

}  // namespace weft
