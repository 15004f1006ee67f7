/// Events from the workers to the control thread.
#pragma once

#include <sys/eventfd.h>

#include <cerrno>
#include <cstdint>

#include "base/clock.h"
#include "base/failure.h"
#include "base/fd.h"
#include "base/spsc_ring.h"
#include "io/endpoint.h"
#include "packet/address/ip_address.h"
#include "packet/messages/loop_probe.h"
#include "packet/parse.h"
#include "switch/mac_table.h"
#include "wire/header.h"

namespace weft {

struct WorkerEvent {
  enum class Kind : std::uint8_t {
    reply,      ///< probe `id` was answered at `when`; the peer sees us at `endpoint` (empty if relayed)
    source,     ///< the newest authenticated packet, a `probe` or not, came from `endpoint` to our `address`
    key_used,   ///< the first packet was opened with key `id`
    mac_moved,  ///< `mac` of `network` moved from owner `from` to owner `to`
    mac_seen,   ///< unannounced `mac` sends from this host's part of `network`; zero: too many to name
    refused,    ///< `mac` here claimed another's `address`; if that is empty, another's MAC
    too_big,    ///< the kernel refused a packet of `size` bytes to the peer
    groups_changed,  ///< a host on our part of `network` joined a group
    group_left,      ///< a host on our part of `network` left group `address`
    loop_probe,      ///< our loop probe `number` of `network` came to the side of owner `from`
    hail,            ///< hail `id` of `network` came from the peer of slot `from`
    storm,           ///< flooded frames of `network` exceed the storm limit
    tap_lost,        ///< the TAP of `network` was deleted
    stream_lost,     ///< stream `id` of `peer` was closed or failed
    gso_failed,      ///< the kernel refused UDP_SEGMENT, which is off now
  };
  Kind kind = Kind::reply;
  bool probe = false;
  std::uint16_t network = 0;
  MacAddress mac{};
  IpAddress address{};
  MacOwner from = local_owner;
  MacOwner to = local_owner;
  std::uint32_t id = 0;
  PeerId peer = 0;
  std::size_t size = 0;
  Endpoint endpoint{};
  Micros when = 0;
  LoopNumber number{};
};

/// A queue from one worker to the control thread. Events are lost when it is full, which is harmless: each is
/// posted again by itself, or is for information only.
class WorkerEvents {
 public:
  WorkerEvents() : wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (!wake_) throw Failure::from_errno("cannot make an eventfd");
  }

  /// Returns false when the queue is full.
  bool post(const WorkerEvent& event) noexcept {
    if (!ring_.push(event)) return false;
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
    return true;
  }

  /// Control thread: becomes readable when events wait.
  [[nodiscard]] int fd() const noexcept { return wake_.get(); }
  /// Control thread: call before draining with `next`.
  void acknowledge() noexcept {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto read = ::read(wake_.get(), &count, sizeof count);
  }
  bool next(WorkerEvent& event) noexcept { return ring_.pop(event); }

 private:
  Fd wake_;
  SpscRing<WorkerEvent, 256> ring_;
};

}  // namespace weft
