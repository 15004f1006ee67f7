/// Sends probes from the control thread, which has a lane of its own.
#pragma once

#include <memory>

#include "control/desired/peer.h"
#include "io/udp_socket.h"
#include "stats/counters.h"

namespace weft {

class Prober {
 public:
  /// `lane` is used by the control thread only.
  Prober(const UdpSocket& socket, unsigned lane, Counters& counters);

  /// Seals and sends the probe that `order` describes. `relay` is the peer that it goes through if `order`
  /// asks for the relay.
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
