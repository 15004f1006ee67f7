#include "switch/mac_table.h"

#include <sodium.h>
#include <sys/mman.h>

#include <mutex>
#include <new>

#include "packet/address/ip_address.h"

namespace weft {
namespace {

constexpr unsigned mac_bits = 48;
constexpr std::uint64_t mac_mask = (std::uint64_t{1} << mac_bits) - 1;

std::uint64_t pack_value(MacOwner owner, std::uint32_t seen_s) noexcept {
  return std::uint64_t{owner} << 32 | seen_s;
}

MacOwner owner_of(std::uint64_t value) noexcept {
  return static_cast<MacOwner>(value >> 32);
}

std::uint32_t seen_of(std::uint64_t value) noexcept {
  return static_cast<std::uint32_t>(value);
}

bool is_old(std::uint64_t value, std::uint32_t now_s) noexcept {
  // Signed, for another worker may have read its clock a moment later.
  return static_cast<std::int32_t>(now_s - seen_of(value)) >= static_cast<std::int32_t>(MacTable::lifetime_s);
}

}  // namespace

MacTable::MacTable() {
  constexpr std::size_t bytes = capacity * sizeof(Slot);
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  // Zero pages are valid slots: all free.
  slots_ = {static_cast<Slot*>(memory), capacity};
  randombytes_buf(&seed_, sizeof seed_);
}

MacTable::~MacTable() {
  munmap(slots_.data(), slots_.size_bytes());
}

std::span<MacTable::Slot, MacTable::ways> MacTable::places(std::uint64_t key) const noexcept {
  constexpr std::size_t buckets = capacity / ways;
  return slots_.subspan(mix(key ^ seed_) % buckets * ways).first<ways>();
}

MacTable::LearnResult MacTable::learn(std::uint16_t network, const MacAddress& mac, MacOwner owner,
                                      std::uint32_t now_s, Limit limit) noexcept {
  const std::uint64_t key = station_key(network, mac);
  if (is_group(mac) || (key & mac_mask) == 0) return {};
  for (Slot& slot : places(key)) {
    if (slot.key.load(std::memory_order_acquire) != key) continue;
    std::uint64_t value = slot.value.load(std::memory_order_relaxed);
    if (owner_of(value) != owner) break;
    // Fails only if another worker changed the slot meanwhile, and then its word counts.
    if (seen_of(value) != now_s) {
      slot.value.compare_exchange_strong(value, pack_value(owner, now_s), std::memory_order_relaxed);
    }
    return {};
  }
  return add(key, owner, now_s, limit);
}

MacTable::LearnResult MacTable::add(std::uint64_t key, MacOwner owner, std::uint32_t now_s,
                                    Limit limit) noexcept {
  const std::lock_guard guard(changing_);
  const auto age = [now_s](const Slot& slot) {
    return static_cast<std::int32_t>(now_s - seen_of(slot.value.load(std::memory_order_relaxed)));
  };
  const auto candidates = places(key);
  Slot* place = &candidates.front();
  for (Slot& slot : candidates) {
    const std::uint64_t present = slot.key.load(std::memory_order_relaxed);
    if (present == key) {
      const MacOwner previous =
          owner_of(slot.value.exchange(pack_value(owner, now_s), std::memory_order_relaxed));
      return {.what = previous == owner ? Learned::known : Learned::moved, .previous = previous};
    }
    const bool place_is_free = place->key.load(std::memory_order_relaxed) == 0;
    if (!place_is_free && (present == 0 || age(slot) > age(*place))) place = &slot;
  }
  const std::uint64_t part = key >> mac_bits << mac_bits | owner;
  if (limit == Limit::newcomers && !newcomers_.admit(part, now_s)) return {.what = Learned::refused};
  // Whoever reads meanwhile sees no key, the old pair or the new one.
  place->key.store(0, std::memory_order_release);
  place->value.store(pack_value(owner, now_s), std::memory_order_release);
  place->key.store(key, std::memory_order_release);
  return {.what = Learned::added};
}

std::optional<MacOwner> MacTable::lookup(std::uint16_t network, const MacAddress& mac,
                                         std::uint32_t now_s) const noexcept {
  const std::uint64_t key = station_key(network, mac);
  if ((key & mac_mask) == 0) return std::nullopt;
  for (const Slot& slot : places(key)) {
    if (slot.key.load(std::memory_order_acquire) != key) continue;
    const std::uint64_t value = slot.value.load(std::memory_order_acquire);
    // The slot may have passed to another address between the two loads.
    if (slot.key.load(std::memory_order_relaxed) != key || is_old(value, now_s)) return std::nullopt;
    return owner_of(value);
  }
  return std::nullopt;
}

template <typename Predicate>
std::size_t MacTable::remove_if(Predicate predicate) noexcept {
  const std::lock_guard guard(changing_);
  std::size_t removed = 0;
  for (Slot& slot : slots_) {
    const std::uint64_t key = slot.key.load(std::memory_order_relaxed);
    if (key == 0 || !predicate(key, slot.value.load(std::memory_order_relaxed))) continue;
    slot.key.store(0, std::memory_order_release);
    ++removed;
  }
  return removed;
}

std::size_t MacTable::expire(std::uint32_t now_s) noexcept {
  return remove_if([now_s](std::uint64_t, std::uint64_t value) { return is_old(value, now_s); });
}

std::size_t MacTable::remove_owner(MacOwner owner) noexcept {
  return remove_if([owner](std::uint64_t, std::uint64_t value) { return owner_of(value) == owner; });
}

std::size_t MacTable::remove_network(std::uint16_t network) noexcept {
  return remove_if([network](std::uint64_t key, std::uint64_t) { return key >> mac_bits == network; });
}

void MacTable::for_each(const std::function<void(const Entry&)>& visit) const {
  for (const Slot& slot : slots_) {
    const std::uint64_t key = slot.key.load(std::memory_order_acquire);
    const std::uint64_t value = slot.value.load(std::memory_order_acquire);
    if (key == 0 || slot.key.load(std::memory_order_relaxed) != key) continue;
    Entry entry{.network = static_cast<std::uint16_t>(key >> mac_bits),
                .mac = {},
                .owner = owner_of(value),
                .seen_s = seen_of(value)};
    store16(entry.mac.data(), static_cast<std::uint16_t>(key >> 32));
    store32(entry.mac.data() + 2, static_cast<std::uint32_t>(key));
    visit(entry);
  }
}

}  // namespace weft
