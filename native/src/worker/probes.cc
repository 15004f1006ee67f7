#include "worker/probes.h"

#include <array>

namespace weft {
namespace {

// Minimum time between two reports of the same source to the control thread.
constexpr Micros source_pause = 20 * microseconds_per_millisecond;

}  // namespace

void Probes::take_probe(const PollContext& poll, Session& session, ConstBytes content,
                        const PacketSource& source) noexcept {
  const auto probe = decode_probe(content);
  if (!probe) {
    count_drop(context_.counters, probe.error);
    return;
  }
  context_.counters.add(Counter::probes_received);
  const PeerView& peer = poll.snapshot.peers[session.slot];
  const bool unanswerable = source.relayed || source.aside;
  if (unanswerable && !peer.destination.reachable()) return;

  Reply reply;
  reply.size = probe->size;
  reply.id = probe->id;
  reply.time = probe->time;
  if (!source.relayed && source.stream == nullptr) {
    reply.seen_address = source.endpoint.address();
    reply.seen_port = source.endpoint.port();
  }
  // The peer certainly has the key that its probe came with.
  Session& seal = peer.session != nullptr ? *peer.session : session;
  constexpr std::size_t size = sealed_header_size + reply_size + tag_size;
  if (unanswerable) {
    const Bytes packet = send_batch_.claim(peer, 0, size);
    encode(reply, packet.subspan(sealed_header_size));
    if (!seal.sealing.seal(context_.lane, packet)) context_.counters.add(Counter::dropped_no_key);
    peer.traffic[context_.lane].replied();
    return;
  }
  // A reply goes back the way that the probe came, from the address that it was sent to, whichever way other
  // packets to the peer take.
  std::array<std::byte, size> packet;
  encode(reply, Bytes{packet}.subspan(sealed_header_size));
  if (!seal.sealing.seal(context_.lane, packet)) {
    context_.counters.add(Counter::dropped_no_key);
    return;
  }
  context_.counters.add(Counter::sealed_packets);
  send_reply(source, packet);
}

void Probes::send_reply(const PacketSource& source, ConstBytes packet) noexcept {
  if (source.stream != nullptr) {
    if (source.stream->send(packet, packet.size()) == 0) context_.counters.add(Counter::dropped_stream_full);
    return;
  }
  sockaddr_storage to{};
  const socklen_t length = source.endpoint.to_sockaddr(context_.socket.family(), to);
  if (length == 0 || context_.socket.send(to, length, source.to, packet, 0) != 0)
    context_.counters.add(Counter::dropped_send_error);
}

void Probes::take_reply(const PollContext& poll, const Session& session, ConstBytes content) noexcept {
  const auto reply = decode_reply(content);
  if (!reply) {
    count_drop(context_.counters, reply.error);
    return;
  }
  context_.counters.add(Counter::replies_received);
  context_.events.post({.kind = WorkerEvent::Kind::reply,
                        .id = reply->id,
                        .peer = session.peer,
                        .endpoint = Endpoint::from_wire(reply->seen_address, reply->seen_port),
                        .when = poll.now});
}

void Probes::note_source(const PollContext& poll, const Session& session, const PacketSource& source,
                         bool probe) noexcept {
  if (last_source_peer_ == session.peer && last_source_ == source.endpoint &&
      poll.now < last_source_at_ + source_pause)
    return;
  last_source_peer_ = session.peer;
  last_source_ = source.endpoint;
  last_source_at_ = poll.now;
  context_.events.post({.kind = WorkerEvent::Kind::source,
                        .probe = probe,
                        .address = source.to,
                        .peer = session.peer,
                        .endpoint = source.endpoint});
}

}  // namespace weft
