/// The implementations of each cipher that work on this machine, from which aead.cc chooses. `make` must be
/// called only for implementations that are listed.
#pragma once

#include <vector>

#include "aead/aead.h"

namespace weft {

std::vector<AeadImplementation> secretbox_implementations();
std::vector<AeadImplementation> chacha20_poly1305_implementations();
std::vector<AeadImplementation> aes_256_gcm_implementations();

}  // namespace weft
