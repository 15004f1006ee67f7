/// What the parts of one worker share.
#pragma once

#include "base/clock.h"
#include "io/udp_socket.h"
#include "offload/switches.h"
#include "state/snapshot.h"
#include "stats/counters.h"
#include "switch/mac_table.h"
#include "worker/events.h"

namespace weft {

/// One a worker. `lane` is its number: the sender's lane, its queue of each TAP, its row in traffic tables.
struct WorkerContext {
  unsigned lane;
  const UdpSocket& socket;
  MacTable& macs;
  Switches& switches;
  Counters& counters;
  WorkerEvents& events;
};

/// What holds for all packets handled between two looks at the world.
struct Batch {
  const Snapshot& snapshot;
  Micros now;

  [[nodiscard]] std::uint32_t now_s() const noexcept {
    return static_cast<std::uint32_t>(now / microseconds_per_second);
  }
};

/// A station of a segment that sent a frame, and what was known of it. Frames come in trains of one sender:
/// what was looked up for the first holds for the next ones, for a second.
struct Sighting {
  MacAddress mac{};
  std::uint16_t network = 0;
  MacOwner owner = local_owner;
  std::uint32_t second = 0;
  const EndpointTable* announced = nullptr;
  bool operator==(const Sighting&) const = default;
};

}  // namespace weft
