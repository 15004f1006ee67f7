/// Which MAC address is behind which peer: one table for all networks, learned from frames, shared by all
/// workers.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "base/spin_lock.h"
#include "packet/parse.h"
#include "switch/newcomers.h"

namespace weft {

/// Who has a MAC: a peer's slot number, or this host.
using MacOwner = std::uint16_t;
inline constexpr MacOwner local_owner = 0xffff;

/// A station of a segment, as tables are keyed by it.
inline std::uint64_t station_key(std::uint16_t network, const MacAddress& mac) noexcept {
  return std::uint64_t{network} << 48 | std::uint64_t{load16(mac.data())} << 32 | load32(&mac[2]);
}

/// Fixed size. Looking up and refreshing a known address take no lock; adding, moving and removing, which are
/// rare, take a short one. The memory is mapped, so only the pages in use count. An address has 8 places by
/// its hash (keyed, so that nobody can aim); when all are taken, the one unseen for longest goes. Times are
/// whole seconds of any monotonic clock.
class MacTable {
 public:
  static constexpr std::size_t capacity = 16384;
  static constexpr std::uint32_t lifetime_s = 300;

  enum class Learned : std::uint8_t { known, added, moved, refused };
  /// Whether the addresses of an owner count that are new within a short time.
  enum class Limit : std::uint8_t { none, newcomers };
  struct LearnResult {
    Learned what = Learned::known;
    MacOwner previous = local_owner;  ///< with `moved`: who had it before
  };
  struct Entry {
    std::uint16_t network;
    MacAddress mac;
    MacOwner owner;
    std::uint32_t seen_s;
  };

  /// Throws std::bad_alloc if there is no memory.
  MacTable();
  MacTable(const MacTable&) = delete;
  MacTable& operator=(const MacTable&) = delete;
  ~MacTable();

  /// Group addresses are ignored (`known`). `refused`: the owner has too many new ones on that segment.
  LearnResult learn(std::uint16_t network, const MacAddress& mac, MacOwner owner, std::uint32_t now_s,
                    Limit limit = Limit::none) noexcept;
  [[nodiscard]] std::optional<MacOwner> lookup(std::uint16_t network, const MacAddress& mac,
                                               std::uint32_t now_s) const noexcept;
  /// Frees what was not seen for `lifetime_s`; returns how many.
  std::size_t expire(std::uint32_t now_s) noexcept;
  /// Forgets all that an owner has.
  std::size_t remove_owner(MacOwner owner) noexcept;
  std::size_t remove_network(std::uint16_t network) noexcept;
  /// Visits every entry; others may change the table meanwhile.
  void for_each(const std::function<void(const Entry&)>& visit) const;

 private:
  static constexpr std::size_t ways = 8;

  struct Slot {
    std::atomic<std::uint64_t> key;    // network << 48 | MAC; 0: free (the MAC of zeros is not learned)
    std::atomic<std::uint64_t> value;  // owner << 32 | last seen
  };
  static_assert(sizeof(Slot) == 16);

  [[nodiscard]] std::span<Slot, ways> places(std::uint64_t key) const noexcept;
  LearnResult add(std::uint64_t key, MacOwner owner, std::uint32_t now_s, Limit limit) noexcept;
  template <typename Predicate>
  std::size_t remove_if(Predicate predicate) noexcept;

  std::span<Slot> slots_;
  std::uint64_t seed_;
  SpinLock changing_;
  Newcomers newcomers_;  // behind the lock
};

}  // namespace weft
