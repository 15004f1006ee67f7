/// Key material that is wiped when it dies and cannot be printed or copied by accident.
#pragma once

#include <array>
#include <cstddef>
#include <iosfwd>

#include "base/bytes.h"

namespace weft {

/// `N` secret bytes. Move-only: a copy is asked for by name (`clone`).
template <std::size_t N>
class Secret {
 public:
  Secret() noexcept = default;
  explicit Secret(std::span<const std::byte, N> from) noexcept { std::memcpy(bytes_.data(), from.data(), N); }
  Secret(Secret&& other) noexcept : bytes_(other.bytes_) { other.wipe(); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      bytes_ = other.bytes_;
      other.wipe();
    }
    return *this;
  }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { wipe(); }

  [[nodiscard]] Secret clone() const noexcept { return Secret(bytes()); }
  [[nodiscard]] std::span<const std::byte, N> bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::span<std::byte, N> mutable_bytes() noexcept { return bytes_; }
  [[nodiscard]] const unsigned char* raw() const noexcept {
    return reinterpret_cast<const unsigned char*>(bytes_.data());
  }

 private:
  void wipe() noexcept;

  std::array<std::byte, N> bytes_{};
};

/// Overwrites memory in a way the compiler may not remove.
void wipe_memory(void* at, std::size_t size) noexcept;

template <std::size_t N>
void Secret<N>::wipe() noexcept {
  wipe_memory(bytes_.data(), N);
}

template <std::size_t N>
std::ostream& operator<<(std::ostream&, const Secret<N>&) = delete;

/// The key of one direction of a session.
using AeadKey = Secret<32>;

}  // namespace weft
