/// Which of this router's further source ports (io/source_ports.h) get through to a peer.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "path/liveness.h"

namespace weft {

/// Pure. Each port is asked on its own, by probes as large as a packet may be, and only while there is enough
/// traffic to be worth spreading. A port that does not answer, because a NAT, a firewall or an older peer is
/// in the way, is asked ever less often.
class PortSpread {
 public:
  /// Between probes from a port that was not answered: first and last pause.
  static constexpr Micros first_pause = microseconds_per_second;
  static constexpr Micros last_pause = 30 * microseconds_per_second;
  /// Packets within `window` that make spreading worthwhile, and for how long.
  static constexpr std::uint64_t worthwhile = 50;
  static constexpr Micros window = 200 * microseconds_per_millisecond;
  static constexpr Micros linger = 10 * microseconds_per_second;

  /// `count` includes the router's own port, about which the path itself decides.
  explicit PortSpread(unsigned count) : ports_(count - 1) {}

  /// Returns the ports to probe now, with packets of `packet_size` bytes. `sent` is a count of packets sent
  /// to the peer that only grows.
  std::vector<unsigned> poll(std::size_t packet_size, std::uint64_t sent, Micros now);
  /// When `poll` wants to be called at the latest.
  [[nodiscard]] Micros deadline() const noexcept { return deadline_; }
  /// Probe `id` was sent from that port.
  void asked(unsigned port, std::uint32_t id, Micros now);
  /// A probe was answered. Returns false if it is none of these. `same_address`: the peer sees the port at
  /// the address at which it sees the router's own; if it does not, what it trusts may differ.
  bool answered(std::uint32_t id, bool same_address, Micros now);
  /// The path is another one, or gone: nothing that was answered holds.
  void stop() noexcept;

  /// With the router's own port.
  [[nodiscard]] std::size_t count() const noexcept { return ports_.size() + 1; }
  /// Bit n: packets from port n get through. Bit 0 is never set.
  [[nodiscard]] std::uint32_t usable() const noexcept;
  /// The ports are being probed.
  [[nodiscard]] bool asking() const noexcept { return asking_; }

 private:
  struct Port {
    Liveness liveness;
    Micros next_probe = 0;
    Micros pause = first_pause;
    std::vector<std::pair<std::uint32_t, Micros>> open;  // probes without an answer, and when they were sent
  };

  void watch_traffic(std::uint64_t sent, Micros now) noexcept;
  bool due(Port& port, Micros now) noexcept;

  std::vector<Port> ports_;  // from port 1 on
  std::size_t packet_size_ = 0;
  std::uint64_t window_sent_ = 0;
  Micros window_end_ = 0;
  Micros wanted_until_ = 0;
  bool asking_ = false;
  Micros deadline_ = ~Micros{0};
};

}  // namespace weft
