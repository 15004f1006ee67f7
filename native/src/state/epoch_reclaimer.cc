#include "state/epoch_reclaimer.h"

#include <algorithm>
#include <ctime>

namespace weft {

EpochReclaimer::EpochReclaimer(std::size_t readers)
    : readers_(readers), current_(std::make_unique<const Snapshot>().release()) {}

EpochReclaimer::~EpochReclaimer() {
  const std::unique_ptr<const Snapshot> last(current_.load());
}

void EpochReclaimer::publish(std::unique_ptr<const Snapshot> next) {
  // The pointer first: a reader that announces the new epoch is then sure to read the new pointer.
  std::unique_ptr<const Snapshot> former(current_.exchange(next.release(), std::memory_order_seq_cst));
  const std::uint64_t epoch = epoch_.load(std::memory_order_relaxed) + 1;
  epoch_.store(epoch, std::memory_order_seq_cst);
  retired_.push_back({std::move(former), epoch});
  collect();
}

void EpochReclaimer::synchronize() {
  constexpr timespec pause{0, 20'000};
  while (!collect())
    ::nanosleep(&pause, nullptr);
}

bool EpochReclaimer::collect() {
  // A reader that is idle here will announce itself before it reads the pointer, which is new already.
  std::uint64_t oldest = idle;
  for (const Reader& reader : readers_)
    oldest = std::min(oldest, reader.epoch.load(std::memory_order_seq_cst));
  std::erase_if(retired_, [&](const Retired& retired) { return retired.epoch <= oldest; });
  return retired_.empty();
}

}  // namespace weft
