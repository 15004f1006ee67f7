#include "aead/aead.h"

#include <sodium.h>

#include <algorithm>
#include <chrono>
#include <limits>

#include "aead/ciphers.h"

#if defined(__aarch64__)
#include <sys/auxv.h>
#endif

namespace weft {
namespace {

constexpr std::size_t measured_text = 1400;

std::array<AeadImplementation, all_ciphers.size()> chosen;

AeadImplementation& chosen_for(Cipher cipher) noexcept {
  return chosen[static_cast<std::size_t>(cipher)];
}

/// Returns the fastest of several rounds, because other load on the machine can only make a round slower.
double nanoseconds_to_seal(const Aead& aead, std::chrono::microseconds at_most) {
  using Clock = std::chrono::steady_clock;
  constexpr int packets_a_round = 32;
  std::array<std::byte, sealed_header_size + measured_text + tag_size> packet{};
  encode(SealedHeader{.lane = 0, .key_index = 1, .counter = 0}, packet);
  double best = std::numeric_limits<double>::max();
  const auto end = Clock::now() + at_most;
  do {
    const auto start = Clock::now();
    for (int i = 0; i < packets_a_round; ++i)
      aead.seal(packet);
    const std::chrono::duration<double, std::nano> spent = Clock::now() - start;
    best = std::min(best, spent.count() / packets_a_round);
  } while (Clock::now() < end);
  return best;
}

bool has_aes_instructions() noexcept {
#if defined(__x86_64__)
  return sodium_runtime_has_aesni() != 0;
#elif defined(__aarch64__)
  constexpr unsigned long aes = 1UL << 3;  // HWCAP_AES
  return (getauxval(AT_HWCAP) & aes) != 0;
#else
  return false;
#endif
}

}  // namespace

void wipe_memory(void* at, std::size_t size) noexcept {
  sodium_memzero(at, size);
}

std::string_view cipher_name(Cipher cipher) noexcept {
  switch (cipher) {
    case Cipher::xsalsa20_poly1305:
      return "xsalsa20-poly1305";
    case Cipher::chacha20_poly1305:
      return "chacha20-poly1305";
    case Cipher::aes_256_gcm:
      return "aes-256-gcm";
  }
  return "";
}

std::optional<Cipher> cipher_from_name(std::string_view name) noexcept {
  const auto* found = std::find_if(all_ciphers.begin(), all_ciphers.end(),
                                   [name](Cipher cipher) { return cipher_name(cipher) == name; });
  if (found == all_ciphers.end()) return std::nullopt;
  return *found;
}

std::vector<AeadImplementation> aead_implementations(Cipher cipher) {
  switch (cipher) {
    case Cipher::xsalsa20_poly1305:
      return secretbox_implementations();
    case Cipher::chacha20_poly1305:
      return chacha20_poly1305_implementations();
    case Cipher::aes_256_gcm:
      return aes_256_gcm_implementations();
  }
  return {};
}

bool aead_init() noexcept {
  if (sodium_init() < 0) return false;
  const AeadKey any_key;
  for (const Cipher cipher : all_ciphers) {
    double best = std::numeric_limits<double>::max();
    for (const AeadImplementation& candidate : aead_implementations(cipher)) {
      const double spent = nanoseconds_to_seal(*candidate.make(any_key, 1), std::chrono::microseconds(300));
      if (spent >= best) continue;
      best = spent;
      chosen_for(cipher) = candidate;
    }
  }
  return true;
}

std::unique_ptr<const Aead> make_aead(Cipher cipher, const AeadKey& key, std::uint32_t key_index) {
  return chosen_for(cipher).make(key, key_index);
}

std::vector<CipherInfo> cipher_inventory() {
  const AeadKey any_key;
  std::vector<CipherInfo> inventory;
  for (const Cipher cipher : all_ciphers) {
    const auto aead = make_aead(cipher, any_key, 1);
    inventory.push_back({.cipher = cipher,
                         .implementation = chosen_for(cipher).name,
                         .hardware = cipher == Cipher::aes_256_gcm && has_aes_instructions(),
                         .nanoseconds_per_1400 = nanoseconds_to_seal(*aead, std::chrono::milliseconds(2))});
  }
  return inventory;
}

}  // namespace weft
