#include "worker/egress.h"

#include <algorithm>
#include <array>

#include "fragment/fragmenter.h"
#include "packet/checksum.h"
#include "packet/ip_fragment.h"
#include "packet/loop_probe.h"
#include "packet/mss_clamp.h"
#include "packet/neighbour.h"
#include "packet/too_big.h"

namespace weft {
namespace {

// In front of a frame stand its vnet header when it is read, and later its inner header.
constexpr std::size_t headroom = 64;
static_assert(headroom >= sizeof(VnetHeader) && headroom >= inner_header_size);
constexpr std::size_t buffer_size = headroom + max_frame_size;

// An answer to each frame of a sender that does not listen would be a flood of our own.
constexpr unsigned max_answers_per_second = 100;

constexpr std::size_t ipv6_minimum_mtu = 1280;

// More lines about those who claim what is not theirs would tell no more.
constexpr unsigned max_refusals_told_per_second = 4;

// Between two reports of loop probes.
constexpr Micros loop_pause = 100 * microseconds_per_millisecond;

// To some, not to all: its rate is the sender's business.
bool is_multicast(const MacAddress& mac) noexcept {
  const bool broadcast =
      std::all_of(mac.begin(), mac.end(), [](std::byte byte) { return byte == std::byte{0xff}; });
  return is_group(mac) && !broadcast;
}

// Largest IP frame that the containers behind a peer take; theirs and ours may have different MTUs.
std::size_t receivable(const PeerView& peer, const NetworkView& network, const Layers& layers) noexcept {
  if (layers.network_offset == 0) return max_frame_size;
  std::size_t mtu = network.mtu != 0 ? network.mtu : max_frame_size;
  if (peer.mtu != 0) mtu = std::min(mtu, peer.mtu);
  return layers.network_offset + mtu;
}

// Largest frame that should go to the peer in one piece: what the path carries, and what the other side
// takes.
std::size_t frame_limit(const PeerView& peer, const NetworkView& network, const Layers& layers) noexcept {
  return std::min(peer.destination.max_frame(), receivable(peer, network, layers));
}

InnerFrame inner_of(const NetworkView& network, const VnetHeader& vnet) noexcept {
  InnerFrame inner;
  inner.network = network.number;
  if ((vnet.flags & VnetHeader::needs_checksum) != 0) {
    inner.partial_checksum = true;
    inner.checksum_start = vnet.checksum_start;
    inner.checksum_offset = vnet.checksum_offset;
  }
  return inner;
}

}  // namespace

Egress::Egress(WorkerContext& context, RunSender& sender)
    : context_(context),
      sender_(sender),
      buffer_(std::make_unique_for_overwrite<std::byte[]>(buffer_size)),
      scratch_(std::make_unique_for_overwrite<std::byte[]>(buffer_size)) {}

bool Egress::drain(const Batch& batch, const NetworkView& network, const TapQueue& queue,
                   unsigned budget) noexcept {
  std::byte* const start = buffer_.get() + headroom - sizeof(VnetHeader);
  for (unsigned i = 0; i < budget; ++i) {
    const TapResult read = queue.read({start, sizeof(VnetHeader) + max_frame_size});
    if (!read) {
      if (read.lost) context_.events.post({.kind = WorkerEvent::Kind::tap_lost, .network = network.number});
      return false;
    }
    handle(batch, network, queue, static_cast<std::size_t>(read.size));
  }
  return true;
}

void Egress::handle(const Batch& batch, const NetworkView& network, const TapQueue& queue,
                    std::size_t size) noexcept {
  Counters& counters = context_.counters;
  if (size < sizeof(VnetHeader) + ethernet_header_size) {
    counters.add(Counter::dropped_bad_frame);
    return;
  }
  Outgoing out{network, queue, {}, {buffer_.get() + headroom, size - sizeof(VnetHeader)}, {}};
  std::memcpy(&out.vnet, buffer_.get() + headroom - sizeof(VnetHeader), sizeof out.vnet);
  counters.add(Counter::tap_read_frames);
  counters.add(Counter::tap_read_bytes, out.frame.size());

  const MacAddress destination = destination_mac(out.frame);
  if (is_link_local_group(destination)) {
    counters.add(Counter::dropped_stp);
    return;
  }
  if (is_group(destination) && take_loop_probe(batch, out)) return;
  if (!admit_source(batch, out)) return;
  out.layers = parse_frame(out.frame);
  if (!admit_claims(batch, out)) return;

  if (is_group(destination)) return handle_group(batch, out);
  const auto owner = owner_of(batch, network.number, destination);
  if (!owner) {
    flood(batch, out);
  } else if (*owner == local_owner) {
    // The bridge floods what it does not know yet; it is not for the tunnel.
    counters.add(Counter::dropped_local);
  } else if (*owner < batch.snapshot.peers.size() && batch.snapshot.peers[*owner].id != 0) {
    send_to(batch, batch.snapshot.peers[*owner], out, true);
  } else {
    counters.add(Counter::dropped_no_peer);
  }
}

// Whether it came back or is another router's: it ends here.
bool Egress::take_loop_probe(const Batch& batch, const Outgoing& out) noexcept {
  const auto probe = decode_loop_probe(out.frame);
  if (!probe) return false;
  // In a loop it may circle without end; told now and then it is told.
  if (probe->network == out.network.number && batch.now - loop_told_ >= loop_pause) {
    loop_told_ = batch.now;
    context_.events.post(
        {.kind = WorkerEvent::Kind::loop_probe, .network = probe->network, .peer = probe->router});
  }
  return true;
}

// False if the sender's MAC was given to a container of another host.
bool Egress::admit_source(const Batch& batch, const Outgoing& out) noexcept {
  const EndpointTable& announced = *batch.snapshot.endpoints;
  const MacAddress source = source_mac(out.frame);
  const Sighting sighting{source, out.network.number, local_owner, batch.now_s(), &announced};
  if (sighting == last_sighting_) return true;
  const auto owner = announced.owner(out.network.number, source);
  if (owner.value_or(local_owner) != local_owner) {
    context_.counters.add(Counter::dropped_foreign_mac);
    tell_refused(batch, out, IpAddress());
    return false;
  }
  last_sighting_ = sighting;
  // In a loop everybody seems to be here.
  if (out.network.muted) return true;
  if (!owner && !is_group(source)) tell_stranger(batch, out.network.number, source);
  learn(batch, out);
  return true;
}

// False if the frame tells everybody that an address is here which was given to a container of another host.
bool Egress::admit_claims(const Batch& batch, const Outgoing& out) noexcept {
  const NeighbourClaims claims = neighbour_claims(out.frame, out.layers);
  for (const IpAddress& address : claims.all()) {
    const auto known = batch.snapshot.endpoints->neighbour(out.network.number, address);
    if (!known || known->owner == local_owner) continue;
    context_.counters.add(Counter::dropped_foreign_address);
    tell_refused(batch, out, address);
    return false;
  }
  return true;
}

void Egress::tell_stranger(const Batch& batch, std::uint16_t network, const MacAddress& mac) noexcept {
  const auto tell = strangers_.seen(network, mac, batch.now_s());
  if (tell == Strangers::Tell::nothing) return;
  context_.events.post({.kind = WorkerEvent::Kind::mac_seen,
                        .network = network,
                        .mac = tell == Strangers::Tell::it ? mac : MacAddress{}});
}

void Egress::tell_refused(const Batch& batch, const Outgoing& out, const IpAddress& address) noexcept {
  if (refused_second_ != batch.now_s()) {
    refused_second_ = batch.now_s();
    refused_ = 0;
  }
  if (refused_++ >= max_refusals_told_per_second) return;
  context_.events.post({.kind = WorkerEvent::Kind::refused,
                        .network = out.network.number,
                        .mac = source_mac(out.frame),
                        .address = address});
}

void Egress::learn(const Batch& batch, const Outgoing& out) noexcept {
  const MacAddress source = source_mac(out.frame);
  const auto learned = context_.macs.learn(out.network.number, source, local_owner, batch.now_s());
  if (learned.what != MacTable::Learned::moved) return;
  context_.events.post({.kind = WorkerEvent::Kind::mac_moved,
                        .network = out.network.number,
                        .mac = source,
                        .from = learned.previous,
                        .to = local_owner});
}

// What a router announced counts more than what was learned: it is newer, and cannot be pretended.
std::optional<MacOwner> Egress::owner_of(const Batch& batch, std::uint16_t network,
                                         const MacAddress& mac) const noexcept {
  const auto announced = batch.snapshot.endpoints->owner(network, mac);
  return announced ? announced : context_.macs.lookup(network, mac, batch.now_s());
}

void Egress::handle_group(const Batch& batch, Outgoing& out) noexcept {
  if (answer_neighbour(batch, out)) return;
  const GroupMessageKind message = group_message(out.frame, out.layers);
  if (message.kind != GroupMessage::none) take_group_message(batch, out, message);
  const GroupTable& wanted = *out.network.wanted;
  // A host that hears the report of another may keep its own to itself: only routers hear them.
  if (message.kind == GroupMessage::report)
    return send_to_group(batch, out, wanted.routers(out.layers.ipv4()));
  const auto group =
      message.kind == GroupMessage::none ? reported_group(out.frame, out.layers) : std::nullopt;
  if (group && !new_groups_.is_new({out.network.number, *group}, batch.now))
    return send_to_group(batch, out, wanted.wanting(*group));
  flood(batch, out);
}

void Egress::take_group_message(const Batch& batch, const Outgoing& out,
                                const GroupMessageKind& message) noexcept {
  struct Reports final : GroupReportSink {
    LocalGroups& groups;
    WorkerEvents& events;
    std::uint16_t network;
    Micros now;
    bool changed = false;

    Reports(LocalGroups& local, WorkerEvents& to, std::uint16_t number, Micros time)
        : groups(local), events(to), network(number), now(time) {}
    void wanted(const IpAddress& group) noexcept override {
      changed = (is_reported(group) && groups.wanted(group, now)) || changed;
    }
    void left(const IpAddress& group) noexcept override {
      if (is_reported(group) && groups.left(group, now))
        events.post({.kind = WorkerEvent::Kind::group_left, .network = network, .address = group});
    }
  };
  Reports reports(*out.network.local_groups, context_.events, out.network.number, batch.now);
  if (message.kind == GroupMessage::report) read_group_reports(out.frame, out.layers, reports);
  if (message.from_router) reports.changed = reports.groups.router(out.layers.ipv4(), batch.now);
  // If there is no room for the news, it is found within a second.
  if (reports.changed)
    context_.events.post({.kind = WorkerEvent::Kind::groups_changed, .network = out.network.number});
}

// True if nobody elsewhere needs to be asked.
bool Egress::answer_neighbour(const Batch& batch, const Outgoing& out) noexcept {
  const auto asked = neighbour_question(out.frame, out.layers);
  const auto known = asked ? batch.snapshot.endpoints->neighbour(out.network.number, *asked) : std::nullopt;
  if (!known || known->mac == source_mac(out.frame)) return false;
  if (known->owner == local_owner) {
    context_.counters.add(Counter::neighbours_kept);
    return true;
  }
  std::array<std::byte, max_neighbour_answer> answer;
  const std::size_t size = build_neighbour_answer(out.frame, out.layers, known->mac, answer);
  write_back(out, ConstBytes{answer}.first(size), Counter::neighbours_answered);
  return true;
}

// To the TAP that the frame came from.
void Egress::write_back(const Outgoing& out, ConstBytes frame, Counter counter) noexcept {
  if (out.queue.write_frame(frame)) context_.counters.add(counter);
}

void Egress::flood(const Batch& batch, Outgoing& out) noexcept {
  const auto& members = out.network.members;
  if (members.empty()) {
    context_.counters.add(Counter::dropped_no_peer);
    return;
  }
  if (out.network.muted) {
    context_.counters.add(Counter::dropped_muted);
    return;
  }
  if (!is_multicast(destination_mac(out.frame)) && !admit_flood(batch, out.network.number)) return;
  context_.counters.add(Counter::flooded);
  send_to_all(batch, out, members);
}

bool Egress::admit_flood(const Batch& batch, std::uint16_t network) noexcept {
  const std::uint32_t limit = context_.switches.storm_limit.load(std::memory_order_relaxed);
  if (flood_limit_.admit(network, limit, batch.now)) return true;
  context_.counters.add(Counter::dropped_storm);
  if (flood_limit_.is_news(network, batch.now))
    context_.events.post({.kind = WorkerEvent::Kind::storm, .network = network});
  return false;
}

void Egress::send_to_group(const Batch& batch, Outgoing& out, std::span<const PeerSlot> peers) noexcept {
  const bool muted = out.network.muted;
  context_.counters.add(muted           ? Counter::dropped_muted
                        : peers.empty() ? Counter::multicast_kept
                                        : Counter::multicast_sent);
  if (!muted) send_to_all(batch, out, peers);
}

void Egress::send_to_all(const Batch& batch, Outgoing& out, std::span<const PeerSlot> peers) noexcept {
  for (std::size_t i = 0; i < peers.size(); ++i)
    send_to(batch, batch.snapshot.peers[peers[i]], out, i + 1 == peers.size());
}

// `last`: the frame is not needed any more afterwards and may be cut to pieces where it stands.
void Egress::send_to(const Batch& batch, const PeerView& peer, Outgoing& out, bool last) noexcept {
  if (peer.session == nullptr) {
    context_.counters.add(Counter::dropped_no_key);
    return;
  }
  if (!peer.destination.reachable()) {
    context_.counters.add(Counter::dropped_no_endpoint);
    return;
  }
  if (out.vnet.gso_type != VnetHeader::gso_none) {
    send_superframe(batch, peer, out, last);
    return;
  }
  if (out.layers.tcp()) {
    const std::size_t limit = frame_limit(peer, out.network, out.layers);
    const bool partial = (out.vnet.flags & VnetHeader::needs_checksum) != 0;
    if (clamp_mss(out.frame, out.layers, limit - out.layers.network_offset, partial))
      context_.counters.add(Counter::mss_clamped);
  }
  encode(inner_of(out.network, out.vnet), {out.frame.data() - inner_header_size, inner_header_size});
  send_frame(batch, peer, out, out.frame);
}

void Egress::send_superframe(const Batch& batch, const PeerView& peer, Outgoing& out, bool last) noexcept {
  auto segmenter = Segmenter::plan(out.frame, out.vnet, frame_limit(peer, out.network, out.layers));
  if (!segmenter) {
    context_.counters.add(Counter::dropped_bad_frame);
    return;
  }
  context_.counters.add(Counter::superframes_in);
  context_.counters.add(Counter::segments, segmenter->count());
  InnerFrame inner;
  inner.network = out.network.number;
  inner.partial_checksum = true;
  inner.checksum_start = segmenter->checksum_start();
  inner.checksum_offset = segmenter->checksum_offset();
  const bool fits = segmenter->size(0) <= frame_limit(peer, out.network, out.layers);
  const auto counter = fits ? peer.session->sealing.reserve(context_.lane, segmenter->count()) : std::nullopt;
  if (fits && !counter) {
    context_.counters.add(Counter::dropped_no_key);
    return;
  }
  for (std::size_t i = 0; i < segmenter->count(); ++i) {
    Bytes frame;
    if (last) {
      frame = segmenter->carve(i);
    } else {
      frame = {scratch_.get() + headroom, segmenter->size(i)};
      segmenter->write(i, frame.data());
    }
    std::byte* const content = frame.data() - inner_header_size;
    encode(inner, {content, inner_header_size});
    if (!fits) {
      send_frame(batch, peer, out, frame);
      continue;
    }
    const Bytes packet = sender_.claim(peer, frame.size() + frame_overhead);
    seal(peer, *counter + i, content, packet);
  }
  if (fits) context_.counters.add(Counter::sealed_packets, segmenter->count());
}

// The inner header stands in front of the frame already.
void Egress::send_frame(const Batch& batch, const PeerView& peer, const Outgoing& out, Bytes frame) noexcept {
  const Bytes content{frame.data() - inner_header_size, frame.size() + inner_header_size};
  const std::size_t limit = frame_limit(peer, out.network, out.layers);
  if (frame.size() > limit) {
    const bool small_ipv6 = out.layers.ipv6() && frame.size() <= out.layers.network_offset + ipv6_minimum_mtu;
    if (!small_ipv6 && !is_group(destination_mac(frame)) && must_not_fragment(frame, out.layers)) {
      refuse(batch, out, frame, limit);
      return;
    }
    // The tunnel's own fragments arrive as the frame they were, which is no help if that is too big over
    // there.
    if (frame.size() > receivable(peer, out.network, out.layers) && send_ip_fragments(peer, content, limit))
      return;
    if (frame.size() > peer.destination.max_frame()) {
      send_fragments(peer, content);
      return;
    }
  }
  seal(peer, content);
}

// False if the frame cannot be cut so.
bool Egress::send_ip_fragments(const PeerView& peer, Bytes content, std::size_t max_frame) noexcept {
  const auto inner = decode_frame(content);
  const Bytes frame = content.subspan(inner_header_size);
  const auto plan = IpFragmenter::plan(frame, parse_frame(frame), max_frame);
  if (!inner || !plan) return false;
  SealingKey& key = peer.session->sealing;
  const auto counter = key.reserve(context_.lane, plan->count());
  if (!counter) {
    context_.counters.add(Counter::dropped_no_key);
    return true;
  }
  // The frame may go to other peers yet, as it was.
  const std::size_t field = std::size_t{inner->checksum_start} + inner->checksum_offset;
  const std::uint16_t partial = inner->partial_checksum ? load16(&frame[field]) : std::uint16_t{0};
  if (inner->partial_checksum) complete_checksum(frame, inner->checksum_start, inner->checksum_offset);
  for (std::size_t i = 0; i < plan->count(); ++i) {
    const Bytes packet = sender_.claim(peer, plan->size(i) + frame_overhead);
    const Bytes piece = packet.subspan(sealed_header_size, inner_header_size + plan->size(i));
    encode(InnerFrame{.network = inner->network}, piece);
    plan->write(i, piece.subspan(inner_header_size));
    seal(peer, *counter + i, piece.data(), packet);
  }
  if (inner->partial_checksum) store16(&frame[field], partial);
  context_.counters.add(Counter::ip_fragments_sent, plan->count());
  context_.counters.add(Counter::sealed_packets, plan->count());
  return true;
}

void Egress::send_fragments(const PeerView& peer, ConstBytes content) noexcept {
  SealingKey& key = peer.session->sealing;
  const std::size_t max_piece =
      peer.destination.max_sealed - sealed_header_size - tag_size - inner_header_size;
  const auto plan = Fragmenter::plan(content, max_piece, key.next_fragment_id(context_.lane));
  const auto counter = plan ? key.reserve(context_.lane, plan->count()) : std::nullopt;
  if (!counter) {
    context_.counters.add(plan ? Counter::dropped_no_key : Counter::dropped_too_big);
    return;
  }
  for (unsigned i = 0; i < plan->count(); ++i) {
    const Bytes packet = sender_.claim(peer, sealed_header_size + plan->size(i) + tag_size);
    const Bytes piece = packet.subspan(sealed_header_size, plan->size(i));
    plan->write(i, piece);
    seal(peer, *counter + i, piece.data(), packet);
  }
  context_.counters.add(Counter::fragments_sent, plan->count());
  context_.counters.add(Counter::sealed_packets, plan->count());
}

void Egress::seal(const PeerView& peer, ConstBytes content) noexcept {
  SealingKey& key = peer.session->sealing;
  const auto counter = key.reserve(context_.lane, 1);
  if (!counter) {
    context_.counters.add(Counter::dropped_no_key);
    return;
  }
  const Bytes packet = sender_.claim(peer, sealed_header_size + content.size() + tag_size);
  seal(peer, *counter, content.data(), packet);
  context_.counters.add(Counter::sealed_packets);
}

// Where both ends trust the wire the content stays as it is, and the tag proves who sent it.
void Egress::seal(const PeerView& peer, std::uint64_t counter, const std::byte* content,
                  Bytes packet) noexcept {
  const Session& session = *peer.session;
  if (!peer.destination.plain) {
    session.sealing.seal_reserved(context_.lane, counter, content, packet);
    return;
  }
  encode(SealedHeader{.plain = true,
                      .lane = static_cast<std::uint8_t>(context_.lane),
                      .key_index = session.sealing.index(),
                      .counter = counter},
         packet);
  std::memmove(packet.data() + sealed_header_size, content, packet.size() - sealed_header_size - tag_size);
  write_plain_tag(session.hop_seal, packet);
  context_.counters.add(Counter::plain_sent_packets);
}

// Tells the sender what fits, on the TAP that the frame came from.
void Egress::refuse(const Batch& batch, const Outgoing& out, ConstBytes frame, std::size_t limit) noexcept {
  context_.counters.add(Counter::dropped_too_big);
  if (!may_answer(batch.now)) return;
  std::array<std::byte, max_too_big_size> answer;
  const Layers layers = parse_frame(frame);
  const auto mtu = static_cast<std::uint32_t>(limit - layers.network_offset);
  const std::size_t size = build_too_big(frame, layers, mtu, answer);
  if (size == 0) return;
  write_back(out, ConstBytes{answer}.first(size), Counter::ptb_sent);
}

bool Egress::may_answer(Micros now) noexcept {
  if (now - answers_since_ >= microseconds_per_second) {
    answers_since_ = now;
    answers_ = 0;
  }
  return answers_++ < max_answers_per_second;
}

}  // namespace weft
