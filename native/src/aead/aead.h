/// The three ciphers of docs/protocol.md 2.1 behind one interface, each by the fastest library at hand.
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

/// One key of one direction. The object is safe to use from several threads at once: what an operation must
/// scribble on is per thread. The nonce comes from the packet's own 16-byte header.
class Aead {
 public:
  Aead() = default;
  Aead(const Aead&) = delete;
  Aead& operator=(const Aead&) = delete;
  virtual ~Aead() = default;

  /// Seals in place. `packet` = 16-byte header (already written) || plaintext || 16 bytes of room for the
  /// tag.
  void seal(Bytes packet) const noexcept { seal_from(packet.data() + sealed_header_size, packet); }

  /// Seals a plaintext that lies elsewhere (or at its place in `packet`, but not overlapping otherwise) into
  /// `packet`, which is as for `seal` and whose size gives the plaintext's: size - 32. Saves the copy when a
  /// superframe is cut straight into a send buffer.
  virtual void seal_from(const std::byte* plaintext, Bytes packet) const noexcept = 0;

  /// Opens in place: true if the tag is right, and then the plaintext stands between header and tag. If it is
  /// wrong the content is undefined and must not be used. `packet` has at least 32 bytes.
  [[nodiscard]] virtual bool open(Bytes packet) const noexcept = 0;
};

/// Prepares the libraries and measures which implementation is the fastest; call once, before threads start.
/// False if a library cannot work on this machine.
[[nodiscard]] bool aead_init() noexcept;

/// The object for one direction's key, by the implementation that `aead_init` found fastest here. `key_index`
/// is the one in the headers of its packets. Allocates; not for the hot path.
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
  bool hardware;                    ///< the CPU's own instructions for this cipher are used
  double nanoseconds_per_1400 = 0;  ///< measured: sealing 1400 bytes
};

/// Measures the chosen implementation of every cipher, at most 5 ms each.
std::vector<CipherInfo> cipher_inventory();

}  // namespace weft
