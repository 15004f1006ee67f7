/// State that the parts of one worker share.
#pragma once

#include "base/clock.h"
#include "io/source_ports.h"
#include "io/udp_socket.h"
#include "offload/switches.h"
#include "state/snapshot.h"
#include "stats/counters.h"
#include "switch/forwarding.h"
#include "worker/events.h"

namespace weft {

/// Each worker has one. `lane` is the number of the worker: the lane that it sends on from the router's own
/// port, its queue of each TAP, and its row in the traffic tables.
struct WorkerContext {
  unsigned lane;
  const UdpSocket& socket;
  const SourcePorts& sources;
  Switches& switches;
  Counters& counters;
  WorkerEvents& events;
  Forwarding& forwarding;

  /// Of a source port, 0 for the router's own.
  [[nodiscard]] const UdpSocket& socket_of(unsigned port) const noexcept {
    return port == 0 ? socket : sources.socket(port);
  }
  [[nodiscard]] unsigned lane_of(unsigned port) const noexcept {
    return port == 0 ? lane : sources.lane(port, lane);
  }
};

/// What is the same for all packets of one poll: the snapshot and the time do not change until the next one.
struct PollContext {
  const Snapshot& snapshot;
  Micros now;
  ForwardingContext forwarding;
};

/// Counts a packet that a decoder refused.
inline void count_drop(Counters& counters, WireError error) noexcept {
  switch (error) {
    case WireError::too_short:
      counters.add(Counter::dropped_short);
      break;
    case WireError::bad_type:
      counters.add(Counter::dropped_bad_type);
      break;
    case WireError::bad_field:
      counters.add(Counter::dropped_bad_field);
      break;
    case WireError::none:
      break;
  }
}

}  // namespace weft
