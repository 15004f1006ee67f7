/// What workers tell the control thread.
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
#include "packet/parse.h"
#include "switch/mac_table.h"
#include "wire/header.h"

namespace weft {

struct WorkerEvent {
  enum class Kind : std::uint8_t {
    reply,           ///< `id`, `endpoint` (our address as seen; empty if relayed), `when`
    source,          ///< newest authenticated packet from `endpoint`, to `address` of ours; `probe`
    key_used,        ///< first packet opened with key `id`
    mac_moved,       ///< `network`, `mac`, `from`, `to`
    mac_seen,        ///< `mac`, which nobody was given, sends on this side of `network`; zero: more than told
    refused,         ///< `mac` on this side of `network` claims `address`, or (zero) the MAC itself
    too_big,         ///< the kernel refused a packet of `size` bytes to the peer
    groups_changed,  ///< of `network`: somebody here wants one more
    group_left,      ///< group `address` of `network`: somebody here wants it no more
    loop_probe,      ///< the one of `peer`, for `network`, came to a TAP of ours
    storm,           ///< in `network`: more goes to everybody than may
    tap_lost,        ///< `network`
    stream_lost,     ///< the peer's stream with that `id`
    gso_failed,      ///< UDP_SEGMENT was refused and is off now
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
};

/// From one worker to the control thread. When full, events are lost: each is repeated by itself, or only
/// news.
class WorkerEvents {
 public:
  WorkerEvents() : wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (!wake_) throw Failure::from_errno("cannot make an eventfd");
  }

  /// False when there is no room.
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
