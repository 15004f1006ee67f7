/// Hands snapshots from the control thread to the workers without locks: epoch-based reclamation.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "state/snapshot.h"

namespace weft {

/// Each reader announces the epoch in which it begins to read, and when it has stopped. A former snapshot is
/// freed when no reader can still see it.
class EpochReclaimer {
 public:
  explicit EpochReclaimer(std::size_t readers);
  ~EpochReclaimer();
  EpochReclaimer(const EpochReclaimer&) = delete;
  EpochReclaimer& operator=(const EpochReclaimer&) = delete;

  /// Reader: what is true now. Valid until `leave` or the next `enter` of the same reader.
  const Snapshot& enter(std::size_t reader) noexcept {
    // The order matters: the epoch must be visible before the pointer is read (see `collect`).
    readers_[reader].epoch.store(epoch_.load(std::memory_order_acquire), std::memory_order_seq_cst);
    return *current_.load(std::memory_order_seq_cst);
  }
  /// Reader: reads no snapshot until the next `enter`.
  void leave(std::size_t reader) noexcept { readers_[reader].epoch.store(idle, std::memory_order_release); }

  /// Control thread: what is true now. Valid until the next `publish`.
  [[nodiscard]] const Snapshot& current() const noexcept { return *current_.load(std::memory_order_relaxed); }
  /// Control thread: replaces the snapshot, and frees former ones that nobody sees.
  void publish(std::unique_ptr<const Snapshot> next);
  /// Control thread: returns when no reader reads anything older than the current snapshot. Readers read for
  /// one poll, so this is short unless they are kept from running.
  void synchronize();
  /// Control thread: frees former snapshots that nobody sees; true if none is left.
  bool collect();

 private:
  static constexpr std::uint64_t idle = ~std::uint64_t{0};
  struct alignas(64) Reader {
    std::atomic<std::uint64_t> epoch{idle};
  };
  struct Retired {
    std::unique_ptr<const Snapshot> snapshot;
    std::uint64_t epoch;  // the first at which it could no longer be entered
  };

  std::vector<Reader> readers_;
  std::atomic<const Snapshot*> current_;
  std::atomic<std::uint64_t> epoch_{0};
  std::vector<Retired> retired_;
};

}  // namespace weft
