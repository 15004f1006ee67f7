/// ChaCha20-Poly1305, RFC 8439.
#include <sodium.h>

#include "aead/ciphers.h"
#include "aead/ipsec_mb.h"
#include "aead/openssl_context.h"

#include <algorithm>
#include <cstdlib>

namespace weft {
namespace {

class OpensslChacha final : public Aead {
 public:
  explicit OpensslChacha(const AeadKey& key) noexcept : aead_(EVP_chacha20_poly1305(), key) {}
  void seal_from(const std::byte* plaintext, Bytes packet) const noexcept override {
    aead_.seal(plaintext, packet);
  }
  [[nodiscard]] bool open(Bytes packet) const noexcept override { return aead_.open(packet); }

 private:
  OpensslAead aead_;
};

#if defined(WEFT_IPSEC_MB)
class IpsecMbChacha final : public Aead {
 public:
  explicit IpsecMbChacha(const AeadKey& key) noexcept {
    std::ranges::copy(key.bytes(), key_.mutable_bytes().begin());
  }

  void seal_from(const std::byte* plaintext, Bytes packet) const noexcept override {
    std::byte* tag = packet.data() + packet.size() - tag_size;
    run(IMB_DIR_ENCRYPT, plaintext, packet, tag);
  }

  [[nodiscard]] bool open(Bytes packet) const noexcept override {
    std::array<std::byte, tag_size> tag;
    run(IMB_DIR_DECRYPT, packet.data() + sealed_header_size, packet, tag.data());
    return crypto_verify_16(
               reinterpret_cast<const unsigned char*>(tag.data()),
               reinterpret_cast<const unsigned char*>(packet.data() + packet.size() - tag_size)) == 0;
  }

 private:
  // The job interface encrypts and authenticates in one pass; the direct interface is slower by a fifth.
  void run(IMB_CIPHER_DIRECTION direction, const std::byte* from, Bytes packet,
           std::byte* tag) const noexcept {
    const AeadNonce nonce = aead_nonce(packet.data());
    const std::size_t size = packet.size() - sealed_header_size - tag_size;
    IMB_MGR* manager = ipsec_mb();
    IMB_JOB* job = IMB_GET_NEXT_JOB(manager);
    job->cipher_mode = IMB_CIPHER_CHACHA20_POLY1305;
    job->hash_alg = IMB_AUTH_CHACHA20_POLY1305;
    job->cipher_direction = direction;
    job->chain_order = direction == IMB_DIR_ENCRYPT ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER;
    job->enc_keys = key_.raw();
    job->dec_keys = key_.raw();
    job->key_len_in_bytes = 32;
    job->iv = reinterpret_cast<const std::uint8_t*>(nonce.data());
    job->iv_len_in_bytes = nonce.size();
    job->u.CHACHA20_POLY1305.aad = packet.data();
    job->u.CHACHA20_POLY1305.aad_len_in_bytes = sealed_header_size;
    job->src = reinterpret_cast<const std::uint8_t*>(from);
    job->dst = reinterpret_cast<std::uint8_t*>(packet.data() + sealed_header_size);
    job->cipher_start_src_offset_in_bytes = 0;
    job->hash_start_src_offset_in_bytes = 0;
    job->msg_len_to_cipher_in_bytes = size;
    job->msg_len_to_hash_in_bytes = size;
    job->auth_tag_output = reinterpret_cast<std::uint8_t*>(tag);
    job->auth_tag_output_len_in_bytes = tag_size;
    job = IMB_SUBMIT_JOB_NOCHECK(manager);
    // This algorithm is not batched, so the job is complete when it has been submitted.
    if (job == nullptr || job->status != IMB_STATUS_COMPLETED) std::abort();
  }

  // The library reads 16 bytes beyond the key, where there might be an unmapped page.
  Secret<32 + 16> key_;
};
#endif

}  // namespace

std::vector<AeadImplementation> chacha20_poly1305_implementations() {
  std::vector<AeadImplementation> found{
      {"libcrypto", [](const AeadKey& key, std::uint32_t) -> std::unique_ptr<const Aead> {
         return std::make_unique<OpensslChacha>(key);
       }}};
#if defined(WEFT_IPSEC_MB)
  if (ipsec_mb() != nullptr) {
    found.push_back({"libipsec-mb", [](const AeadKey& key, std::uint32_t) -> std::unique_ptr<const Aead> {
                       return std::make_unique<IpsecMbChacha>(key);
                     }});
  }
#endif
  return found;
}

}  // namespace weft
