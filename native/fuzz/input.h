/// Takes a fuzzer's input apart, and stops it when something that must hold does not.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "base/bytes.h"

namespace weft::fuzz {

/// Hands out the input piece by piece; when it ends, zeros and empty pieces.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : rest_(reinterpret_cast<const std::byte*>(data), size) {}

  [[nodiscard]] bool empty() const { return rest_.empty(); }

  /// A copy on the heap of exactly that size, so that the sanitizer sees a read or write past it.
  std::vector<std::byte> bytes(std::size_t size) {
    const ConstBytes taken = take(size);
    return {taken.begin(), taken.end()};
  }
  std::vector<std::byte> rest() { return bytes(rest_.size()); }

  std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }

 private:
  ConstBytes take(std::size_t size) {
    const ConstBytes taken = rest_.first(std::min(size, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }
  std::uint32_t number(std::size_t size) {
    std::uint32_t value = 0;
    for (const std::byte byte : take(size))
      value = value << 8 | std::to_integer<std::uint32_t>(byte);
    return value;
  }

  ConstBytes rest_;
};

inline void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace weft::fuzz
