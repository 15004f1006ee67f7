/// The Poly1305 one-time authenticator (RFC 8439, 2.5), which secretbox needs on its own.
#pragma once

#include <array>
#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace weft {

/// Writes the 16-byte tag of `data` under a 32-byte one-time key. Safe from any thread.
using Poly1305 = void (*)(const std::byte* key, ConstBytes data, std::byte* tag) noexcept;

struct Poly1305Implementation {
  std::string_view name;
  Poly1305 compute;
};

/// Returns the implementations that work on this machine.
std::vector<Poly1305Implementation> poly1305_implementations();

}  // namespace weft
