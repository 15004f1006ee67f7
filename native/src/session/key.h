/// The two directions of a session's key: sealing with counters that never repeat, and opening each packet
/// only once.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "aead/aead.h"
#include "base/spin_lock.h"
#include "fragment/reassembler.h"
#include "session/replay_window.h"
#include "wire/header.h"

namespace weft {

/// Seals packets for a peer. Several workers may use it at once; they do not contend if each uses its own
/// lane.
class SealingKey {
 public:
  /// `index` identifies the key at the receiver.
  SealingKey(std::uint32_t index, std::unique_ptr<const Aead> aead) noexcept;

  /// Reserves the lane's next `count` counters and returns the first, or nothing when the lane has none left.
  [[nodiscard]] std::optional<std::uint64_t> reserve(unsigned lane, std::uint64_t count) noexcept;

  /// Writes the header into `packet` and seals it with a counter from `reserve`. `plaintext` is as for
  /// `Aead::seal_from`.
  void seal_reserved(unsigned lane, std::uint64_t counter, const std::byte* plaintext,
                     Bytes packet) const noexcept;

  /// Reserves a counter and seals in place. Returns false when the lane has no counters left.
  [[nodiscard]] bool seal(unsigned lane, Bytes packet) noexcept;

  /// Returns the id for the next fragmented frame of this lane.
  [[nodiscard]] std::uint32_t next_fragment_id(unsigned lane) noexcept;

  /// Number of packets sealed so far on all lanes.
  [[nodiscard]] std::uint64_t sent() const noexcept;
  /// The highest counter that any lane has reached.
  [[nodiscard]] std::uint64_t highest_counter() const noexcept;
  [[nodiscard]] std::uint32_t index() const noexcept { return index_; }

 private:
  struct alignas(64) Lane {
    std::atomic<std::uint64_t> next{0};
    std::atomic<std::uint32_t> fragment_id{0};
  };

  std::uint32_t index_;
  std::unique_ptr<const Aead> aead_;
  std::array<Lane, lane_count> lanes_;
};

enum class OpenResult : std::uint8_t {
  bad_tag,
  replayed,
  accepted,  ///< opened, but a packet with a higher counter of the lane was opened before
  newest,    ///< opened, with the highest counter of its lane so far: may change the peer's endpoint
};

inline bool opened(OpenResult result) noexcept {
  return result >= OpenResult::accepted;
}

/// Opens packets of a peer. Safe for several workers at once.
class OpeningKey {
 public:
  /// `index` identifies the key at this router.
  OpeningKey(std::uint32_t index, std::unique_ptr<const Aead> aead) noexcept;
  OpeningKey(const OpeningKey&) = delete;
  OpeningKey& operator=(const OpeningKey&) = delete;
  ~OpeningKey();

  /// Opens in place and marks the counter as seen. `header` is the result of `decode_sealed` for `packet`. If
  /// it opens, the content is `packet.subspan(16, packet.size() - 32)`.
  [[nodiscard]] OpenResult open(const SealedHeader& header, Bytes packet);
  /// Marks the counter of a packet that was authenticated by other means as seen.
  [[nodiscard]] OpenResult admit(const SealedHeader& header);

  /// Adds a fragment received on that lane; see `Reassembler::add`.
  std::size_t reassemble(unsigned lane, const InnerFragment& fragment, ConstBytes piece, std::uint64_t now_ms,
                         Bytes out, ReassemblyDrops& drops);
  /// Drops incomplete frames older than a second.
  void expire_fragments(std::uint64_t now_ms, ReassemblyDrops& drops) noexcept;

  [[nodiscard]] std::uint32_t index() const noexcept { return index_; }

 private:
  // A lane is allocated when its first packet opens, because most sessions use one or two of all.
  struct Lane;
  [[nodiscard]] Lane& lane(unsigned number);

  std::uint32_t index_;
  std::unique_ptr<const Aead> aead_;
  std::array<std::atomic<Lane*>, lane_count> lanes_{};
};

}  // namespace weft
