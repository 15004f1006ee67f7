/// How ids look on the control socket.
#pragma once

#include <string>

#include "packet/parse.h"
#include "wire/header.h"

namespace weft {

/// 16 hex digits.
std::string peer_text(PeerId peer);

/// `aa:bb:cc:dd:ee:ff`.
std::string mac_text(const MacAddress& mac);

}  // namespace weft
