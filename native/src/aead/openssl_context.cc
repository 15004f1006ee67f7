#include "aead/openssl_context.h"

#include <atomic>
#include <cstdlib>
#include <mutex>

namespace weft {
namespace {

unsigned char* raw(std::byte* bytes) noexcept {
  return reinterpret_cast<unsigned char*>(bytes);
}
const unsigned char* raw(const std::byte* bytes) noexcept {
  return reinterpret_cast<const unsigned char*>(bytes);
}

unsigned thread_number() noexcept {
  static std::atomic<unsigned> next{0};
  thread_local const unsigned number = next.fetch_add(1, std::memory_order_relaxed);
  return number;
}

}  // namespace

OpensslAead::OpensslAead(const EVP_CIPHER* cipher, const AeadKey& key) noexcept
    : cipher_(cipher), key_(key.clone()) {}

OpensslAead::Slot& OpensslAead::slot_of_thread() const noexcept {
  return slots_[thread_number() % slots_.size()];
}

EVP_CIPHER_CTX* OpensslAead::context(Slot& slot, const std::byte* nonce, int encrypt) const noexcept {
  if (slot.context == nullptr) {
    slot.context.reset(EVP_CIPHER_CTX_new());
    // This fails only for lack of memory, because `aead_init` excludes ciphers that the library lacks. To
    // continue would send plaintext.
    if (slot.context == nullptr ||
        EVP_CipherInit_ex(slot.context.get(), cipher_, nullptr, key_.raw(), nullptr, encrypt) != 1) {
      std::abort();
    }
  }
  if (EVP_CipherInit_ex(slot.context.get(), nullptr, nullptr, nullptr, raw(nonce), encrypt) != 1)
    std::abort();
  return slot.context.get();
}

void OpensslAead::seal(const std::byte* plaintext, Bytes packet) const noexcept {
  const std::byte* header = packet.data();
  std::byte* sealed = packet.data() + sealed_header_size;
  const std::size_t size = packet.size() - sealed_header_size - tag_size;
  const AeadNonce nonce = aead_nonce(header);
  Slot& slot = slot_of_thread();
  const std::lock_guard guard(slot.lock);
  EVP_CIPHER_CTX* evp = context(slot, nonce.data(), 1);
  int written = 0;
  const bool done =
      EVP_EncryptUpdate(evp, nullptr, &written, raw(header), static_cast<int>(sealed_header_size)) == 1 &&
      EVP_EncryptUpdate(evp, raw(sealed), &written, raw(plaintext), static_cast<int>(size)) == 1 &&
      EVP_EncryptFinal_ex(evp, raw(sealed + size), &written) == 1 &&
      EVP_CIPHER_CTX_ctrl(evp, EVP_CTRL_AEAD_GET_TAG, static_cast<int>(tag_size), sealed + size) == 1;
  if (!done) std::abort();
}

bool OpensslAead::open(Bytes packet) const noexcept {
  const std::byte* header = packet.data();
  std::byte* sealed = packet.data() + sealed_header_size;
  const std::size_t size = packet.size() - sealed_header_size - tag_size;
  const AeadNonce nonce = aead_nonce(header);
  Slot& slot = slot_of_thread();
  const std::lock_guard guard(slot.lock);
  EVP_CIPHER_CTX* evp = context(slot, nonce.data(), 0);
  int written = 0;
  return EVP_DecryptUpdate(evp, nullptr, &written, raw(header), static_cast<int>(sealed_header_size)) == 1 &&
         EVP_DecryptUpdate(evp, raw(sealed), &written, raw(sealed), static_cast<int>(size)) == 1 &&
         EVP_CIPHER_CTX_ctrl(evp, EVP_CTRL_AEAD_SET_TAG, static_cast<int>(tag_size), sealed + size) == 1 &&
         EVP_DecryptFinal_ex(evp, raw(sealed + size), &written) == 1;
}

}  // namespace weft
