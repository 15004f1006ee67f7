#include "worker/decap.h"

#include <algorithm>
#include <cerrno>

#include "packet/mss_clamp.h"
#include "packet/parse.h"

namespace weft {
namespace {

// Number of buffers received before frames are written: flows are coalesced across them, and all of them fit
// the second-level cache.
constexpr std::size_t buffer_count = 4;
constexpr std::size_t buffer_size = 65'536;

// Maximum number of reads from one stream before the other sources get their turn.
constexpr unsigned stream_budget = 4;

// A SYN is short, so frames longer than this are not parsed to find one.
constexpr std::size_t longest_syn = 160;

std::size_t clamp_mtu(const PeerView& peer, const NetworkView& network) noexcept {
  const std::size_t path =
      peer.destination.reachable() ? peer.destination.max_frame() - ethernet_header_size : SIZE_MAX;
  return network.mtu == 0 ? path : std::min(path, network.mtu);
}

}  // namespace

Decap::Decap(WorkerContext& context, SendBatch& send_batch)
    : context_(context),
      probes_(context, send_batch),
      relay_(context),
      coalescer_(*this),
      buffers_(std::make_unique_for_overwrite<std::byte[]>(buffer_count * buffer_size)),
      reassembled_(std::make_unique_for_overwrite<std::byte[]>(max_frame_size + inner_header_size)) {}

void Decap::begin(const PollContext& poll) noexcept {
  poll_ = &poll;
  const bool tcp = context_.switches.on(Offload::tap_csum) && context_.switches.on(Offload::tap_tso);
  const bool udp = context_.switches.on(Offload::tap_csum) && context_.switches.on(Offload::tap_uso);
  coalescer_.begin({tcp, udp}, poll.now);
}

void Decap::end(const PollContext& poll) noexcept {
  coalescer_.flush();
  settle(poll);
  poll_ = nullptr;
}

bool Decap::drain(const PollContext& poll, unsigned budget) noexcept {
  begin(poll);
  bool more = true;
  for (unsigned i = 0; i < budget && more; ++i) {
    const Bytes buffer{buffers_.get() + (i % buffer_count) * buffer_size, buffer_size};
    // The buffer is about to be overwritten, so nothing may point into it any more.
    if (i % buffer_count == 0) coalescer_.flush();
    Received received;
    more = context_.socket.receive(buffer, received) == 0;
    if (more) handle_buffer(poll, buffer.first(received.size), received);
  }
  end(poll);
  return more;
}

void Decap::drain(const PollContext& poll, Stream& stream) noexcept {
  begin(poll);
  for (unsigned i = 0; i < stream_budget; ++i) {
    const Bytes room = stream.deframer().room();
    const ssize_t size = stream.receive(room);
    if (size <= 0) {
      if (size == 0 || (errno != EAGAIN && errno != EINTR)) lose(stream);
      break;
    }
    stream.deframer().filled(static_cast<std::size_t>(size));
    handle_packets(poll, stream);
    // The deframer moves what is left, so nothing may point into it any more.
    coalescer_.flush();
    if (stream.deframer().broken()) {
      context_.counters.add(Counter::streams_broken);
      lose(stream);
      break;
    }
    if (static_cast<std::size_t>(size) < room.size()) break;
  }
  end(poll);
}

void Decap::handle_packets(const PollContext& poll, Stream& stream) noexcept {
  PacketSource source{.endpoint = {}, .to = {}, .stream = &stream};
  Counters& counters = context_.counters;
  while (const auto packet = stream.deframer().next()) {
    counters.add(Counter::stream_received_packets);
    counters.add(Counter::stream_received_bytes, packet->size());
    handle_packet(poll, *packet, source);
  }
  relay_.flush();
}

void Decap::lose(Stream& stream) noexcept {
  // If the event does not fit now, epoll will report the stream again.
  if (context_.events.post(
          {.kind = WorkerEvent::Kind::stream_lost, .id = stream.id(), .peer = stream.peer()}))
    stream.unwatch();
}

void Decap::handle_packet(const PollContext& poll, Bytes packet, PacketSource& source) noexcept {
  const auto type = packet_type(packet);
  if (!type) {
    count_drop(context_.counters, type.error);
    return;
  }
  source.relayed = *type == PacketType::relayed;
  if (source.relayed) packet = relay_.handle(poll, packet);
  if (!packet.empty()) handle_sealed(poll, packet, source);
}

void Decap::handle_buffer(const PollContext& poll, Bytes data, const Received& received) noexcept {
  PacketSource source{.endpoint = Endpoint(received.from), .to = received.to};
  Counters& counters = context_.counters;
  counters.add(Counter::udp_received_batches);
  counters.add(Counter::udp_received_bytes, data.size());
  std::size_t datagrams = 0;
  for (Bytes rest = data; datagrams == 0 || !rest.empty();) {
    const Bytes datagram = rest.first(std::min(rest.size(), received.segment_size));
    rest = rest.subspan(datagram.size());
    ++datagrams;
    handle_packet(poll, datagram, source);
  }
  counters.add(Counter::udp_received_datagrams, datagrams);
  relay_.flush();
}

void Decap::handle_sealed(const PollContext& poll, Bytes packet, PacketSource& source) noexcept {
  const auto header = decode_sealed(packet);
  if (!header) {
    count_drop(context_.counters, header.error);
    return;
  }
  source.aside = header->aside();
  Session* const session = poll.snapshot.keys.find(header->key_index);
  if (session == nullptr) {
    context_.counters.add(Counter::dropped_unknown_key);
    return;
  }
  if (header->plain && !may_be_plain(*session, source)) {
    context_.counters.add(Counter::dropped_untrusted);
    return;
  }
  const OpenResult result = open(*session, *header, packet);
  if (!opened(result)) {
    context_.counters.add(result == OpenResult::replayed ? Counter::dropped_replay
                                                         : Counter::dropped_bad_tag);
    return;
  }
  context_.counters.add(Counter::opened_packets);
  if (tally_.session != session) settle(poll);
  tally_.session = session;
  ++tally_.packets;
  tally_.bytes += packet.size();
  if (!session->used.load(std::memory_order_relaxed) && !session->used.exchange(true)) {
    const bool told = context_.events.post(
        {.kind = WorkerEvent::Kind::key_used, .id = session->opening.index(), .peer = session->peer});
    // The control thread must be told before it seals with the key, so the next packet tries again.
    if (!told) session->used = false;
  }

  const Bytes content = packet.subspan(sealed_header_size, packet.size() - sealed_header_size - tag_size);
  const auto kind = inner_kind(content);
  if (!kind) {
    context_.counters.add(Counter::dropped_inner_kind);
    return;
  }
  // It proves something of the way that it came by, and must not be moved to this one.
  if (*kind == InnerKind::kernel_probe) {
    context_.counters.add(Counter::dropped_inner_kind);
    return;
  }
  // Anybody on the wire may have changed the content of a plain packet, because its tag authenticates only
  // the header.
  if (header->plain && *kind != InnerKind::frame && *kind != InnerKind::fragment) {
    context_.counters.add(Counter::dropped_inner_kind);
    return;
  }
  if (result == OpenResult::newest && !header->plain && !source.aside && !source.relayed &&
      source.stream == nullptr) {
    const PeerView& peer = poll.snapshot.peers[session->slot];
    if (peer.sought || source.endpoint != peer.endpoint)
      probes_.note_source(poll, *session, source, *kind == InnerKind::probe || *kind == InnerKind::reply);
  }
  switch (*kind) {
    case InnerKind::frame:
      handle_frame(poll, *session, content);
      break;
    case InnerKind::fragment:
      handle_fragment(poll, *session, header->lane, content);
      break;
    case InnerKind::probe:
      probes_.take_probe(poll, *session, content, source);
      break;
    case InnerKind::reply:
      probes_.take_reply(poll, *session, content);
      break;
    case InnerKind::kernel_probe:
      break;
  }
}

bool Decap::may_be_plain(const Session& session, const PacketSource& source) noexcept {
  return !source.relayed && source.stream == nullptr &&
         contains(session.trust.ours, source.endpoint.address());
}

OpenResult Decap::open(Session& session, const SealedHeader& header, Bytes packet) noexcept {
  if (!header.plain) return session.opening.open(header, packet);
  if (!verify_plain_tag(session.hop_open, packet)) return OpenResult::bad_tag;
  context_.counters.add(Counter::plain_received_packets);
  return session.opening.admit(header);
}

void Decap::handle_frame(const PollContext& poll, const Session& session, Bytes content) noexcept {
  Counters& counters = context_.counters;
  const auto inner = decode_frame(content);
  if (!inner) {
    count_drop(context_.counters, inner.error);
    return;
  }
  const NetworkView* network = poll.snapshot.network(inner->network);
  if (network == nullptr || network->taps == nullptr) {
    counters.add(Counter::dropped_no_network);
    return;
  }
  const Bytes frame = content.subspan(inner_header_size);
  if (const auto refused = context_.forwarding.admit(poll.forwarding, *network, frame, session.slot)) {
    counters.add(*refused);
    return;
  }
  if (frame.size() <= longest_syn) {
    const Layers layers = parse_frame(frame);
    if (layers.tcp() && clamp_mss(frame, layers, clamp_mtu(poll.snapshot.peers[session.slot], *network),
                                  inner->partial_checksum))
      counters.add(Counter::mss_clamped);
  }
  coalescer_.add(*inner, frame);
}

void Decap::handle_fragment(const PollContext& poll, Session& session, unsigned lane,
                            Bytes content) noexcept {
  Counters& counters = context_.counters;
  const auto fragment = decode_fragment(content);
  if (!fragment) {
    count_drop(context_.counters, fragment.error);
    return;
  }
  counters.add(Counter::fragments_received);
  ReassemblyDrops drops;
  const Bytes whole{reassembled_.get(), max_frame_size + inner_header_size};
  const std::size_t size = session.opening.reassemble(lane, *fragment, content.subspan(inner_header_size),
                                                      poll.now / microseconds_per_millisecond, whole, drops);
  counters.add(Counter::dropped_fragment_timeout, drops.expired);
  counters.add(Counter::dropped_fragment_evicted, drops.evicted);
  counters.add(Counter::dropped_fragment_bad, drops.inconsistent);
  if (size == 0) return;
  counters.add(Counter::frames_reassembled);
  const auto kind = inner_kind(whole.first(size));
  if (!kind || *kind != InnerKind::frame) {
    counters.add(Counter::dropped_inner_kind);
    return;
  }
  handle_frame(poll, session, whole.first(size));
  // There is only one reassembly buffer, and the next fragment may need it.
  coalescer_.flush();
}

void Decap::settle(const PollContext& poll) noexcept {
  if (tally_.packets > 0)
    poll.snapshot.peers[tally_.session->slot].traffic[context_.lane].received(tally_.packets, tally_.bytes,
                                                                              poll.now);
  tally_ = {};
}

void Decap::write_frame(std::uint16_t number, std::span<const iovec> parts, std::size_t frames) {
  Counters& counters = context_.counters;
  const NetworkView* network = poll_->snapshot.network(number);
  const TapResult written = network->taps->of_lane(context_.lane).write(parts);
  if (!written) {
    if (written.lost) context_.events.post({.kind = WorkerEvent::Kind::tap_lost, .network = number});
    counters.add(Counter::dropped_tap_full, frames);
    return;
  }
  counters.add(Counter::tap_written_frames);
  counters.add(Counter::tap_written_bytes, static_cast<std::uint64_t>(written.size) - parts[0].iov_len);
  if (frames > 1) {
    counters.add(Counter::superframes_out);
    counters.add(Counter::coalesced, frames);
  }
}

}  // namespace weft
