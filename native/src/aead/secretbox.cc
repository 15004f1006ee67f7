/// NaCl secretbox (XSalsa20-Poly1305). libsodium's own call spends half its time on work that can be avoided:
/// HSalsa20 of a nonce prefix that is constant for a (key, lane), single-block tails that cost a fifth of
/// eight blocks at once, and a Poly1305 slower than that of the other libraries. So the same primitives are
/// combined here.
#include <sodium.h>

#include <algorithm>
#include <array>

#include "aead/ciphers.h"
#include "aead/poly1305.h"

namespace weft {
namespace {

constexpr std::size_t block = crypto_core_salsa20_OUTPUTBYTES;
static_assert(block == 64);
// Size of key stream at which libsodium's vector code is fastest: with it, 512 bytes cost as much as 128.
#if defined(__x86_64__)
constexpr std::size_t stride = 512;
#else
constexpr std::size_t stride = block;
#endif
constexpr std::size_t poly_key_size = 32;
constexpr std::size_t prefix_size = 8;  // header bytes 0 to 7: type, lane, reserved, key index

unsigned char* raw(std::byte* bytes) noexcept {
  return reinterpret_cast<unsigned char*>(bytes);
}
const unsigned char* raw(const std::byte* bytes) noexcept {
  return reinterpret_cast<const unsigned char*>(bytes);
}

constexpr std::size_t cheapest_stream(std::size_t size) noexcept {
  return size <= block ? block : (size + stride - 1) / stride * stride;
}

/// The beginning of the key stream: the one-time key, and the stream for the first bytes of the text.
class FirstStream {
 public:
  FirstStream(const unsigned char* nonce, const unsigned char* subkey, std::size_t text_size) noexcept
      : size_(std::min(cheapest_stream(poly_key_size + text_size), bytes_.size())) {
    crypto_stream_salsa20(raw(bytes_.data()), size_, nonce, subkey);
  }
  FirstStream(const FirstStream&) = delete;
  FirstStream& operator=(const FirstStream&) = delete;
  ~FirstStream() { sodium_memzero(bytes_.data(), poly_key_size); }

  [[nodiscard]] const std::byte* poly_key() const noexcept { return bytes_.data(); }
  [[nodiscard]] const std::byte* text() const noexcept { return bytes_.data() + poly_key_size; }
  [[nodiscard]] std::size_t text_size() const noexcept { return size_ - poly_key_size; }
  [[nodiscard]] std::size_t blocks() const noexcept { return size_ / block; }

 private:
  alignas(64) std::array<std::byte, std::max<std::size_t>(stride, 2 * block)> bytes_;
  std::size_t size_;
};

void xor_stream(const std::byte* from, const std::byte* stream, std::byte* to, std::size_t size) noexcept {
  for (std::size_t i = 0; i < size; ++i)
    to[i] = from[i] ^ stream[i];
}

/// Encrypts or decrypts `size` bytes whose key stream begins with what `first` holds.
void apply_stream(const std::byte* from, std::byte* to, std::size_t size, const FirstStream& first,
                  const unsigned char* nonce, const unsigned char* subkey) noexcept {
  const std::size_t begin = std::min(size, first.text_size());
  xor_stream(from, first.text(), to, begin);
  if (size == begin) return;

  std::uint64_t counter = first.blocks();
  const std::size_t middle = (size - begin) / stride * stride;
  if (middle > 0) {
    crypto_stream_salsa20_xor_ic(raw(to + begin), raw(from + begin), middle, nonce, counter, subkey);
    counter += middle / block;
  }
  const std::size_t rest = size - begin - middle;
  if (rest > 0) {
    alignas(64) std::array<std::byte, stride> tail;
    const std::size_t padded = cheapest_stream(rest);
    std::memcpy(tail.data(), from + begin + middle, rest);
    std::memset(tail.data() + rest, 0, padded - rest);
    crypto_stream_salsa20_xor_ic(raw(tail.data()), raw(tail.data()), padded, nonce, counter, subkey);
    std::memcpy(to + begin + middle, tail.data(), rest);
  }
}

class Secretbox final : public Aead {
 public:
  Secretbox(const AeadKey& key, std::uint32_t key_index, Poly1305 poly1305) noexcept : poly1305_(poly1305) {
    for (unsigned lane = 0; lane < lane_count; ++lane) {
      std::array<std::byte, 16> prefix{};
      store8(prefix.data(), static_cast<std::uint8_t>(PacketType::sealed));
      store8(prefix.data() + 1, static_cast<std::uint8_t>(lane));
      store32(prefix.data() + 4, key_index);
      std::memcpy(prefixes_[lane].data(), prefix.data(), prefix_size);
      crypto_core_hsalsa20(raw(subkeys_[lane].mutable_bytes().data()), raw(prefix.data()), key.raw(),
                           nullptr);
    }
  }

  void seal_from(const std::byte* plaintext, Bytes packet) const noexcept override {
    std::byte* sealed = packet.data() + sealed_header_size;
    const std::size_t size = packet.size() - sealed_header_size - tag_size;
    const unsigned char* nonce = raw(packet.data() + prefix_size);
    const unsigned char* subkey = subkeys_[load8(packet.data() + 1) % lane_count].raw();
    const FirstStream first(nonce, subkey, size);
    apply_stream(plaintext, sealed, size, first, nonce, subkey);
    poly1305_(first.poly_key(), {sealed, size}, sealed + size);
  }

  [[nodiscard]] bool open(Bytes packet) const noexcept override {
    const unsigned lane = load8(packet.data() + 1) % lane_count;
    // There is no associated data. The header is authenticated because it is the nonce, and this part of it
    // is in the subkey.
    if (std::memcmp(packet.data(), prefixes_[lane].data(), prefix_size) != 0) return false;
    std::byte* sealed = packet.data() + sealed_header_size;
    const std::size_t size = packet.size() - sealed_header_size - tag_size;
    const unsigned char* nonce = raw(packet.data() + prefix_size);
    const unsigned char* subkey = subkeys_[lane].raw();
    const FirstStream first(nonce, subkey, size);
    std::array<std::byte, tag_size> tag;
    poly1305_(first.poly_key(), {sealed, size}, tag.data());
    if (crypto_verify_16(raw(tag.data()), raw(sealed + size)) != 0) return false;
    apply_stream(sealed, sealed, size, first, nonce, subkey);
    return true;
  }

 private:
  Poly1305 poly1305_;
  std::array<AeadKey, lane_count> subkeys_;
  std::array<std::array<std::byte, prefix_size>, lane_count> prefixes_;
};

template <std::size_t Index>
std::unique_ptr<const Aead> make(const AeadKey& key, std::uint32_t key_index) {
  static const Poly1305 poly1305 = poly1305_implementations()[Index].compute;
  return std::make_unique<Secretbox>(key, key_index, poly1305);
}

}  // namespace

std::vector<AeadImplementation> secretbox_implementations() {
  constexpr std::array makers{make<0>, make<1>, make<2>};
  std::vector<AeadImplementation> found;
  for (const auto& poly1305 : poly1305_implementations()) {
    const std::string_view name = poly1305.name == "libsodium"   ? "libsodium"
                                  : poly1305.name == "libcrypto" ? "libsodium, libcrypto"
                                                                 : "libsodium, libipsec-mb";
    found.push_back({name, makers[found.size()]});
  }
  return found;
}

}  // namespace weft
