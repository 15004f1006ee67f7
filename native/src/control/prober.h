/// Sends probes, and frames of the router's own, from the control thread, which has a lane of its own.
#pragma once

#include <memory>
#include <optional>

#include "control/desired/peer.h"
#include "io/source_ports.h"
#include "io/udp_socket.h"
#include "stats/counters.h"

namespace weft {

class Prober {
 public:
  /// `lane` is used by the control thread only.
  Prober(const UdpSocket& socket, const SourcePorts& sources, unsigned lane, Counters& counters);

  /// Seals and sends the probe that `order` describes. `relay` is the peer that it goes through if `order`
  /// asks for the relay.
  ProbeResult send(const Peer& peer, const Peer* relay, PeerId self, const ProbeOrder& order, Micros now);

  /// Seals and sends a short frame of that segment, the way that packets to the peer go.
  ProbeResult send_frame(const Peer& peer, const Peer* relay, PeerId self, std::uint16_t network,
                         ConstBytes frame);

 private:
  /// Where a packet goes first.
  struct Route {
    Endpoint to;
    IpAddress from;
    Stream* stream = nullptr;
    const Session* hop = nullptr;
    unsigned port = 0;
    [[nodiscard]] std::size_t prefix() const noexcept { return hop != nullptr ? relay_header_size : 0; }
  };
  static std::optional<Route> route_of(const Peer& peer, const Peer* relay, const ProbeOrder& order);
  [[nodiscard]] Bytes content_of(const Route& route, std::size_t datagram_size) const noexcept;
  ProbeResult seal_and_send(const Peer& peer, const Route& route, Session& session, PeerId self,
                            std::size_t datagram_size);
  ProbeResult hand_over(Stream& stream, ConstBytes packet) noexcept;
  ProbeResult hand_over(const Route& route, ConstBytes datagram) noexcept;

  const UdpSocket& socket_;
  const SourcePorts& sources_;
  unsigned lane_;
  Counters& counters_;
  std::unique_ptr<std::byte[]> buffer_;
};

}  // namespace weft
