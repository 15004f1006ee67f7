/// Sends probes, from the control thread on its own lane.
#pragma once

#include <memory>

#include "control/desired/peer.h"
#include "io/udp_socket.h"
#include "stats/counters.h"

namespace weft {

class Prober {
 public:
  /// `lane` belongs to the control thread alone.
  Prober(const UdpSocket& socket, unsigned lane, Counters& counters);

  /// Seals and sends what `order` asks for. `relay` is the peer that packets go through when the order says
  /// so.
  ProbeResult send(const Peer& peer, const Peer* relay, PeerId self, const ProbeOrder& order, Micros now);

 private:
  ProbeResult hand_over(Stream& stream, ConstBytes packet) noexcept;
  ProbeResult hand_over(const Endpoint& to, const IpAddress& from, ConstBytes datagram) noexcept;

  const UdpSocket& socket_;
  unsigned lane_;
  Counters& counters_;
  std::unique_ptr<std::byte[]> buffer_;
};

}  // namespace weft
