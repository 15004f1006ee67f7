#include "worker/send/transmit.h"

#include <algorithm>
#include <cerrno>

namespace weft {
namespace {

int send_segmented(WorkerContext& context, const UdpSocket& socket, const Destination& to, ConstBytes payload,
                   std::size_t segment_size) noexcept {
  if (!context.switches.on(Offload::udp_gso))
    return socket.send_each(to.address, to.address_length, to.source, payload, segment_size);
  const int error = socket.send(to.address, to.address_length, to.source, payload, segment_size);
  if (error != EIO) return error;
  // EIO means that the network device cannot compute checksums, without which it cannot segment.
  context.switches.set(Offload::udp_gso, false);
  context.events.post({.kind = WorkerEvent::Kind::gso_failed});
  return socket.send_each(to.address, to.address_length, to.source, payload, segment_size);
}

void send_on_stream(WorkerContext& context, const PeerView& peer, ConstBytes payload,
                    std::size_t segment_size, std::size_t packets) noexcept {
  const std::size_t taken = peer.destination.stream->send(payload, segment_size);
  const std::size_t bytes = std::min(payload.size(), taken * segment_size);
  context.counters.add(Counter::dropped_stream_full, packets - taken);
  context.counters.add(Counter::stream_sent_packets, taken);
  context.counters.add(Counter::stream_sent_bytes, bytes);
  peer.traffic[context.lane].sent(taken, bytes);
}

}  // namespace

void transmit(WorkerContext& context, const PeerView& peer, unsigned port, ConstBytes payload,
              std::size_t segment_size, std::size_t packets) noexcept {
  const Destination& to = peer.destination;
  if (to.stream != nullptr) return send_on_stream(context, peer, payload, segment_size, packets);
  const UdpSocket& socket = context.socket_of(port);
  const int error = packets == 1 ? socket.send(to.address, to.address_length, to.source, payload, 0)
                                 : send_segmented(context, socket, to, payload, segment_size);
  if (error != 0) {
    const bool full = error == EAGAIN || error == ENOBUFS;
    context.counters.add(full ? Counter::dropped_socket_full : Counter::dropped_send_error, packets);
    if (error == EMSGSIZE)
      context.events.post({.kind = WorkerEvent::Kind::too_big,
                           .peer = peer.id,
                           .size = segment_size + to.endpoint.header_overhead()});
    return;
  }
  context.counters.add(Counter::udp_sent_batches);
  context.counters.add(Counter::udp_sent_datagrams, packets);
  context.counters.add(Counter::udp_sent_bytes, payload.size());
  peer.traffic[context.lane].sent(packets, payload.size());
}

}  // namespace weft
