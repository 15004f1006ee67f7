#include "control/prober.h"

#include <algorithm>
#include <cerrno>

namespace weft {
namespace {

constexpr std::size_t smallest = sealed_header_size + probe_size + tag_size;
constexpr std::size_t buffer_size = 65'536;

}  // namespace

Prober::Prober(const UdpSocket& socket, unsigned lane, Counters& counters)
    : socket_(socket),
      lane_(lane),
      counters_(counters),
      buffer_(std::make_unique_for_overwrite<std::byte[]>(buffer_size)) {}

ProbeResult Prober::send(const Peer& peer, const Peer* relay, PeerId self, const ProbeOrder& order,
                         Micros now) {
  Session* const session = peer.probing_session();
  const Session* hop = nullptr;
  Endpoint to = order.to;
  IpAddress from = order.from;
  Stream* stream = order.way == Way::stream ? peer.stream.get() : nullptr;
  if (order.way == Way::relay) {
    hop = relay != nullptr ? relay->sealing_session() : nullptr;
    if (hop == nullptr) return ProbeResult::failed;
    to = relay->path().endpoint().value_or(Endpoint{});
    from = relay->path().source();
    stream = relay->path().on_stream() ? relay->stream.get() : nullptr;
  }
  if (session == nullptr) return ProbeResult::failed;

  const std::size_t prefix = hop != nullptr ? relay_header_size : 0;
  const std::size_t overhead = to.header_overhead();
  const std::size_t wanted = order.packet_size > overhead ? order.packet_size - overhead : 0;
  const std::size_t size = std::clamp(wanted, prefix + smallest, buffer_size);
  const Bytes datagram{buffer_.get(), size};
  const Bytes packet = datagram.subspan(prefix);
  const Bytes content = packet.subspan(sealed_header_size, packet.size() - sealed_header_size - tag_size);
  std::fill(content.begin(), content.end(), std::byte{0});
  encode(Probe{static_cast<std::uint16_t>(size), order.id, now}, content);
  if (!session->sealing.seal(lane_, packet)) return ProbeResult::failed;
  if (hop != nullptr)
    encode(RelayHeader{static_cast<std::uint8_t>(lane_), initial_hop_limit, hop->sealing.index(), peer.id(),
                       self},
           hop->hop_seal, datagram);

  const ProbeResult result = stream != nullptr ? hand_over(*stream, datagram) : hand_over(to, from, datagram);
  if (result != ProbeResult::sent) return result;
  counters_.add(Counter::probes_sent);
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

ProbeResult Prober::hand_over(const Endpoint& to, const IpAddress& from, ConstBytes datagram) noexcept {
  sockaddr_storage address{};
  const socklen_t length = to.empty() ? 0 : to.to_sockaddr(socket_.family(), address);
  if (length == 0) return ProbeResult::failed;
  const int error = socket_.send(address, length, from, datagram, 0);
  if (error != 0) return error == EMSGSIZE ? ProbeResult::too_big : ProbeResult::failed;
  counters_.add(Counter::udp_sent_datagrams);
  counters_.add(Counter::udp_sent_batches);
  counters_.add(Counter::udp_sent_bytes, datagram.size());
  return ProbeResult::sent;
}

}  // namespace weft
