/// OpenSSL cipher contexts that keep their key: setting up a key costs more than sealing a packet.
#pragma once

#include <openssl/evp.h>

#include <array>
#include <memory>

#include "base/bytes.h"
#include "base/secret.h"
#include "base/spin_lock.h"
#include "wire/header.h"

namespace weft {

/// Seals and opens with one key of an EVP AEAD with a 96-bit nonce and a 128-bit tag. A context cannot be
/// used by two threads at once, so there are several; each thread has its own as long as there are no more
/// threads than contexts.
class OpensslAead {
 public:
  OpensslAead(const EVP_CIPHER* cipher, const AeadKey& key) noexcept;

  void seal(const std::byte* plaintext, Bytes packet) const noexcept;
  [[nodiscard]] bool open(Bytes packet) const noexcept;

 private:
  struct FreeContext {
    void operator()(EVP_CIPHER_CTX* context) const noexcept { EVP_CIPHER_CTX_free(context); }
  };
  struct alignas(64) Slot {
    SpinLock lock;
    std::unique_ptr<EVP_CIPHER_CTX, FreeContext> context;
  };
  Slot& slot_of_thread() const noexcept;
  [[nodiscard]] EVP_CIPHER_CTX* context(Slot& slot, const std::byte* nonce, int encrypt) const noexcept;

  const EVP_CIPHER* cipher_;
  AeadKey key_;
  mutable std::array<Slot, 4> slots_;
};

/// The nonce of docs/protocol.md 2.1: header bytes 0 to 3, then the counter.
using AeadNonce = std::array<std::byte, 12>;
inline AeadNonce aead_nonce(const std::byte* header) noexcept {
  AeadNonce nonce;
  std::memcpy(nonce.data(), header, 4);
  std::memcpy(nonce.data() + 4, header + 8, 8);
  return nonce;
}

}  // namespace weft
