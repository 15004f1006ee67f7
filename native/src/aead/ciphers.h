/// What aead.cc chooses from: the implementations of each cipher that work on this machine. Each `make` is
/// safe only for implementations that were listed.
#pragma once

#include <vector>

#include "aead/aead.h"

namespace weft {

std::vector<AeadImplementation> secretbox_implementations();
std::vector<AeadImplementation> chacha20_poly1305_implementations();
std::vector<AeadImplementation> aes_256_gcm_implementations();

}  // namespace weft
