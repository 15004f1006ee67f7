#include "aead/poly1305.h"

#include <openssl/evp.h>
#include <sodium.h>

#include <cstdlib>
#include <memory>

#include "aead/ipsec_mb.h"
#include "wire/header.h"

namespace weft {
namespace {

unsigned char* raw(std::byte* bytes) noexcept {
  return reinterpret_cast<unsigned char*>(bytes);
}
const unsigned char* raw(const std::byte* bytes) noexcept {
  return reinterpret_cast<const unsigned char*>(bytes);
}

void by_sodium(const std::byte* key, ConstBytes data, std::byte* tag) noexcept {
  crypto_onetimeauth_poly1305(raw(tag), raw(data.data()), data.size(), raw(key));
}

struct FreeMac {
  void operator()(EVP_MAC_CTX* context) const noexcept { EVP_MAC_CTX_free(context); }
};

std::unique_ptr<EVP_MAC_CTX, FreeMac> make_mac_context() noexcept {
  EVP_MAC* mac = EVP_MAC_fetch(nullptr, "POLY1305", nullptr);
  std::unique_ptr<EVP_MAC_CTX, FreeMac> context(mac == nullptr ? nullptr : EVP_MAC_CTX_new(mac));
  EVP_MAC_free(mac);
  return context;
}

EVP_MAC_CTX* mac_context() noexcept {
  thread_local const auto context = make_mac_context();
  return context.get();
}

void by_openssl(const std::byte* key, ConstBytes data, std::byte* tag) noexcept {
  EVP_MAC_CTX* context = mac_context();
  std::size_t written = 0;
  // This fails only for lack of memory. A packet without its tag must not be sent.
  if (context == nullptr || EVP_MAC_init(context, raw(key), 32, nullptr) != 1 ||
      EVP_MAC_update(context, raw(data.data()), data.size()) != 1 ||
      EVP_MAC_final(context, raw(tag), &written, tag_size) != 1) {
    std::abort();
  }
}

#if defined(WEFT_IPSEC_MB)
void by_ipsec_mb(const std::byte* key, ConstBytes data, std::byte* tag) noexcept {
  IMB_MGR* manager = ipsec_mb();
  IMB_JOB* job = IMB_GET_NEXT_JOB(manager);
  job->cipher_mode = IMB_CIPHER_NULL;
  job->cipher_direction = IMB_DIR_ENCRYPT;
  job->chain_order = IMB_ORDER_HASH_CIPHER;
  job->hash_alg = IMB_AUTH_POLY1305;
  job->src = raw(data.data());
  job->hash_start_src_offset_in_bytes = 0;
  job->msg_len_to_hash_in_bytes = data.size();
  job->auth_tag_output = raw(tag);
  job->auth_tag_output_len_in_bytes = tag_size;
  job->u.POLY1305._key = key;
  job = IMB_SUBMIT_JOB_NOCHECK(manager);
  // This algorithm is not batched, so the job is complete when it has been submitted.
  if (job == nullptr || job->status != IMB_STATUS_COMPLETED) std::abort();
}
#endif

}  // namespace

std::vector<Poly1305Implementation> poly1305_implementations() {
  std::vector<Poly1305Implementation> found{{"libsodium", by_sodium}};
  if (mac_context() != nullptr) found.push_back({"libcrypto", by_openssl});
#if defined(WEFT_IPSEC_MB)
  if (ipsec_mb() != nullptr) found.push_back({"libipsec-mb", by_ipsec_mb});
#endif
  return found;
}

}  // namespace weft
