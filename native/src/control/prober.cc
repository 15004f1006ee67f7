#include "control/prober.h"

#include <algorithm>
#include <cerrno>

namespace weft {
namespace {

constexpr std::size_t smallest = sealed_header_size + probe_size + tag_size;
constexpr std::size_t buffer_size = 65'536;

}  // namespace

Prober::Prober(const UdpSocket& socket, const SourcePorts& sources, unsigned lane, Counters& counters)
    : socket_(socket),
      sources_(sources),
      lane_(lane),
      counters_(counters),
      buffer_(std::make_unique_for_overwrite<std::byte[]>(buffer_size)) {}

ProbeResult Prober::send(const Peer& peer, const Peer* relay, PeerId self, const ProbeOrder& order,
                         Micros now) {
  Session* const session = peer.probing_session();
  const auto route = route_of(peer, relay, order);
  if (session == nullptr || !route) return ProbeResult::failed;
  const std::size_t overhead = route->to.header_overhead();
  const std::size_t wanted = order.packet_size > overhead ? order.packet_size - overhead : 0;
  const std::size_t size = std::clamp(wanted, route->prefix() + smallest, buffer_size);
  const Bytes content = content_of(*route, size);
  std::fill(content.begin(), content.end(), std::byte{0});
  encode(Probe{static_cast<std::uint16_t>(size), order.id, now}, content);
  const ProbeResult result = seal_and_send(peer, *route, *session, self, size);
  if (result == ProbeResult::sent) counters_.add(Counter::probes_sent);
  return result;
}

ProbeResult Prober::send_frame(const Peer& peer, const Peer* relay, PeerId self, std::uint16_t network,
                               ConstBytes frame) {
  Session* const session = peer.sealing_session();
  const Path& path = peer.path();
  const auto route =
      route_of(peer, relay, {path.way(), path.endpoint().value_or(Endpoint{}), path.source(), 0, 0});
  if (session == nullptr || !route) return ProbeResult::failed;
  const std::size_t size = route->prefix() + sealed_header_size + inner_header_size + frame.size() + tag_size;
  const Bytes content = content_of(*route, size);
  encode(InnerFrame{.network = network}, content);
  std::copy(frame.begin(), frame.end(), content.begin() + inner_header_size);
  return seal_and_send(peer, *route, *session, self, size);
}

std::optional<Prober::Route> Prober::route_of(const Peer& peer, const Peer* relay, const ProbeOrder& order) {
  if (order.way != Way::relay)
    return Route{order.to, order.from, order.way == Way::stream ? peer.stream.get() : nullptr, nullptr,
                 order.port};
  const Session* const hop = relay != nullptr ? relay->sealing_session() : nullptr;
  if (hop == nullptr) return std::nullopt;
  const Path& path = relay->path();
  return Route{path.endpoint().value_or(Endpoint{}), path.source(),
               path.on_stream() ? relay->stream.get() : nullptr, hop};
}

// The part of the buffer that is sealed when a datagram of that size is sent.
Bytes Prober::content_of(const Route& route, std::size_t datagram_size) const noexcept {
  const std::size_t before = route.prefix() + sealed_header_size;
  return {buffer_.get() + before, datagram_size - before - tag_size};
}

ProbeResult Prober::seal_and_send(const Peer& peer, const Route& route, Session& session, PeerId self,
                                  std::size_t datagram_size) {
  const Bytes datagram{buffer_.get(), datagram_size};
  // From a further port the control thread shares the lane of the first worker.
  const unsigned lane = route.port == 0 ? lane_ : sources_.lane(route.port, 0);
  if (!session.sealing.seal(lane, datagram.subspan(route.prefix()))) return ProbeResult::failed;
  if (route.hop != nullptr)
    encode(RelayHeader{static_cast<std::uint8_t>(lane_), initial_hop_limit, route.hop->sealing.index(),
                       peer.id(), self},
           route.hop->hop_seal, datagram);
  const ProbeResult result =
      route.stream != nullptr ? hand_over(*route.stream, datagram) : hand_over(route, datagram);
  if (result != ProbeResult::sent) return result;
  counters_.add(Counter::sealed_packets);
  peer.traffic().back().sent(1, datagram.size());
  return ProbeResult::sent;
}

ProbeResult Prober::hand_over(Stream& stream, ConstBytes packet) noexcept {
  if (stream.send(packet, packet.size()) == 0) return ProbeResult::failed;
  counters_.add(Counter::stream_sent_packets);
  counters_.add(Counter::stream_sent_bytes, packet.size());
  return ProbeResult::sent;
}

ProbeResult Prober::hand_over(const Route& route, ConstBytes datagram) noexcept {
  const UdpSocket& socket = route.port == 0 ? socket_ : sources_.socket(route.port);
  sockaddr_storage address{};
  const socklen_t length = route.to.empty() ? 0 : route.to.to_sockaddr(socket.family(), address);
  if (length == 0) return ProbeResult::failed;
  const int error = socket.send(address, length, route.from, datagram, 0);
  if (error != 0) return error == EMSGSIZE ? ProbeResult::too_big : ProbeResult::failed;
  counters_.add(Counter::udp_sent_datagrams);
  counters_.add(Counter::udp_sent_batches);
  counters_.add(Counter::udp_sent_bytes, datagram.size());
  return ProbeResult::sent;
}

}  // namespace weft
