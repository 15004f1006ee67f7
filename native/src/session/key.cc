#include "session/key.h"

#include <algorithm>
#include <mutex>
#include <utility>

namespace weft {

SealingKey::SealingKey(std::uint32_t index, std::unique_ptr<const Aead> aead) noexcept
    : index_(index), aead_(std::move(aead)) {}

std::optional<std::uint64_t> SealingKey::reserve(unsigned lane, std::uint64_t count) noexcept {
  // The counter goes on past the limit, which is harmless: it would take centuries to wrap around to 0.
  const std::uint64_t first = lanes_[lane].next.fetch_add(count, std::memory_order_relaxed);
  if (first + count > counter_limit) return std::nullopt;
  return first;
}

void SealingKey::seal_reserved(unsigned lane, std::uint64_t counter, const std::byte* plaintext,
                               Bytes packet) const noexcept {
  encode(SealedHeader{.lane = static_cast<std::uint8_t>(lane), .key_index = index_, .counter = counter},
         packet);
  aead_->seal_from(plaintext, packet);
}

bool SealingKey::seal(unsigned lane, Bytes packet) noexcept {
  const auto counter = reserve(lane, 1);
  if (!counter) return false;
  seal_reserved(lane, *counter, packet.data() + sealed_header_size, packet);
  return true;
}

std::uint32_t SealingKey::next_fragment_id(unsigned lane) noexcept {
  return lanes_[lane].fragment_id.fetch_add(1, std::memory_order_relaxed);
}

std::uint64_t SealingKey::sent() const noexcept {
  std::uint64_t sum = 0;
  for (const Lane& lane : lanes_)
    sum += lane.next.load(std::memory_order_relaxed);
  return sum;
}

std::uint64_t SealingKey::highest_counter() const noexcept {
  std::uint64_t highest = 0;
  for (const Lane& lane : lanes_)
    highest = std::max(highest, lane.next.load(std::memory_order_relaxed));
  return highest;
}

struct OpeningKey::Lane {
  SpinLock replay_lock;
  ReplayWindow replay;
  SpinLock fragments_lock;
  Reassembler fragments;
};

OpeningKey::OpeningKey(std::uint32_t index, std::unique_ptr<const Aead> aead) noexcept
    : index_(index), aead_(std::move(aead)) {}

OpeningKey::~OpeningKey() {
  for (auto& lane : lanes_)
    const std::unique_ptr<Lane> owned(lane.load(std::memory_order_relaxed));
}

OpeningKey::Lane& OpeningKey::lane(unsigned number) {
  auto& slot = lanes_[number];
  Lane* existing = slot.load(std::memory_order_acquire);
  if (existing != nullptr) return *existing;
  auto made = std::make_unique<Lane>();
  if (slot.compare_exchange_strong(existing, made.get(), std::memory_order_acq_rel)) return *made.release();
  return *existing;
}

OpenResult OpeningKey::open(const SealedHeader& header, Bytes packet) {
  return aead_->open(packet) ? admit(header) : OpenResult::bad_tag;
}

OpenResult OpeningKey::admit(const SealedHeader& header) {
  Lane& own = lane(header.lane);
  const std::lock_guard guard(own.replay_lock);
  switch (own.replay.check_and_set(header.counter)) {
    case ReplayVerdict::accepted:
      return OpenResult::accepted;
    case ReplayVerdict::newest:
      return OpenResult::newest;
    case ReplayVerdict::replayed:
      break;
  }
  return OpenResult::replayed;
}

std::size_t OpeningKey::reassemble(unsigned lane_number, const InnerFragment& fragment, ConstBytes piece,
                                   std::uint64_t now_ms, Bytes out, ReassemblyDrops& drops) {
  Lane& own = lane(lane_number);
  const std::lock_guard guard(own.fragments_lock);
  return own.fragments.add(fragment, piece, now_ms, out, drops);
}

void OpeningKey::expire_fragments(std::uint64_t now_ms, ReassemblyDrops& drops) noexcept {
  for (auto& slot : lanes_) {
    Lane* own = slot.load(std::memory_order_acquire);
    if (own == nullptr) continue;
    const std::lock_guard guard(own->fragments_lock);
    own->fragments.expire(now_ms, drops);
  }
}

}  // namespace weft
