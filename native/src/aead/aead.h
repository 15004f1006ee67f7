/// The three ciphers of docs/protocol.md 2.1 behind one interface, each implemented by the fastest library
/// available.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/secret.h"
#include "wire/header.h"

namespace weft {

enum class Cipher : std::uint8_t { xsalsa20_poly1305, chacha20_poly1305, aes_256_gcm };

inline constexpr std::array all_ciphers{Cipher::xsalsa20_poly1305, Cipher::chacha20_poly1305,
                                        Cipher::aes_256_gcm};

/// The name on the control socket and in the documents, such as `aes-256-gcm`.
std::string_view cipher_name(Cipher cipher) noexcept;
std::optional<Cipher> cipher_from_name(std::string_view name) noexcept;

/// One key of one direction. The object may be used from several threads at once: each thread has its own
/// scratch memory. The nonce is derived from the packet's own 16-byte header.
class Aead {
 public:
  Aead() = default;
  Aead(const Aead&) = delete;
  Aead& operator=(const Aead&) = delete;
  virtual ~Aead() = default;

  /// Seals in place. `packet` = 16-byte header (already written) || plaintext || 16 bytes of room for the
  /// tag.
  void seal(Bytes packet) const noexcept { seal_from(packet.data() + sealed_header_size, packet); }

  /// Seals a plaintext that is elsewhere (or at its place in `packet`, but must not overlap it in any other
  /// way) into `packet`, which is as for `seal`. The size of the plaintext is that of `packet` less 32. This
  /// saves a copy when a superframe is segmented straight into a send batch.
  virtual void seal_from(const std::byte* plaintext, Bytes packet) const noexcept = 0;

  /// Opens in place. Returns true if the tag is right, and then the plaintext is between header and tag.
  /// Otherwise the content is undefined and must not be used. `packet` has at least 32 bytes.
  [[nodiscard]] virtual bool open(Bytes packet) const noexcept = 0;
};

/// Prepares the libraries and measures which implementation is the fastest. Must be called once, before
/// threads start. Returns false if a library does not work on this machine.
[[nodiscard]] bool aead_init() noexcept;

/// Returns the object for the key of one direction, in the implementation that `aead_init` found to be the
/// fastest. `key_index` is the one in the headers of its packets. Allocates, so it is not for the hot path.
std::unique_ptr<const Aead> make_aead(Cipher cipher, const AeadKey& key, std::uint32_t key_index);

/// Every implementation of a cipher that works on this machine, for tests and benchmarks.
struct AeadImplementation {
  std::string_view name;  ///< such as `libipsec-mb`
  std::unique_ptr<const Aead> (*make)(const AeadKey& key, std::uint32_t key_index);
};
std::vector<AeadImplementation> aead_implementations(Cipher cipher);

/// One line of the cipher table that `hello` reports.
struct CipherInfo {
  Cipher cipher;
  std::string_view implementation;  ///< such as `libipsec-mb`
  bool hardware;                    ///< the CPU has instructions for this cipher, which are used
  double nanoseconds_per_1400 = 0;  ///< measured time to seal 1400 bytes
};

/// Measures the chosen implementation of every cipher, for at most 5 ms each.
std::vector<CipherInfo> cipher_inventory();

}  // namespace weft
