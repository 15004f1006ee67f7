/// AES-256-GCM, NIST SP 800-38D.
#include <sodium.h>

#include "aead/ciphers.h"
#include "aead/ipsec_mb.h"
#include "aead/openssl_context.h"

namespace weft {
namespace {

class OpensslGcm final : public Aead {
 public:
  explicit OpensslGcm(const AeadKey& key) noexcept : aead_(EVP_aes_256_gcm(), key) {}
  void seal_from(const std::byte* plaintext, Bytes packet) const noexcept override {
    aead_.seal(plaintext, packet);
  }
  [[nodiscard]] bool open(Bytes packet) const noexcept override { return aead_.open(packet); }

 private:
  OpensslAead aead_;
};

#if defined(WEFT_IPSEC_MB)
class IpsecMbGcm final : public Aead {
 public:
  explicit IpsecMbGcm(const AeadKey& key) noexcept {
    const IMB_MGR* manager = ipsec_mb();
    encrypt_ = manager->gcm256_enc;
    decrypt_ = manager->gcm256_dec;
    IMB_AES256_GCM_PRE(manager, key.raw(), &expanded_);
  }
  ~IpsecMbGcm() override { sodium_memzero(&expanded_, sizeof expanded_); }

  void seal_from(const std::byte* plaintext, Bytes packet) const noexcept override {
    const AeadNonce nonce = aead_nonce(packet.data());
    const std::size_t size = packet.size() - sealed_header_size - tag_size;
    auto* header = reinterpret_cast<std::uint8_t*>(packet.data());
    auto* sealed = header + sealed_header_size;
    alignas(64) gcm_context_data context;
    encrypt_(&expanded_, &context, sealed, reinterpret_cast<const std::uint8_t*>(plaintext), size,
             reinterpret_cast<const std::uint8_t*>(nonce.data()), header, sealed_header_size, sealed + size,
             tag_size);
  }

  [[nodiscard]] bool open(Bytes packet) const noexcept override {
    const AeadNonce nonce = aead_nonce(packet.data());
    const std::size_t size = packet.size() - sealed_header_size - tag_size;
    auto* header = reinterpret_cast<std::uint8_t*>(packet.data());
    auto* sealed = header + sealed_header_size;
    alignas(64) gcm_context_data context;
    std::array<std::uint8_t, tag_size> tag;
    decrypt_(&expanded_, &context, sealed, sealed, size, reinterpret_cast<const std::uint8_t*>(nonce.data()),
             header, sealed_header_size, tag.data(), tag_size);
    return crypto_verify_16(tag.data(), sealed + size) == 0;
  }

 private:
  // The manager selected these functions for this CPU. They use no other state of it, so any thread may call
  // them.
  aes_gcm_enc_dec_t encrypt_;
  aes_gcm_enc_dec_t decrypt_;
  // The library writes here with aligned stores.
  alignas(64) gcm_key_data expanded_;
};
#endif

}  // namespace

std::vector<AeadImplementation> aes_256_gcm_implementations() {
  std::vector<AeadImplementation> found{
      {"libcrypto", [](const AeadKey& key, std::uint32_t) -> std::unique_ptr<const Aead> {
         return std::make_unique<OpensslGcm>(key);
       }}};
#if defined(WEFT_IPSEC_MB)
  if (ipsec_mb() != nullptr) {
    found.push_back({"libipsec-mb", [](const AeadKey& key, std::uint32_t) -> std::unique_ptr<const Aead> {
                       return std::make_unique<IpsecMbGcm>(key);
                     }});
  }
#endif
  return found;
}

}  // namespace weft
