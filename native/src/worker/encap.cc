#include "worker/encap.h"

#include <algorithm>
#include <array>

#include "fragment/fragmenter.h"
#include "packet/checksum.h"
#include "packet/flow_hash.h"
#include "packet/messages/neighbour.h"
#include "packet/messages/too_big.h"
#include "packet/mss_clamp.h"
#include "packet/superframe/ip_fragment.h"

namespace weft {
namespace {

// Space in front of each frame: the vnet header is read into it, and later the inner header is written there.
constexpr std::size_t headroom = 64;
static_assert(headroom >= sizeof(VnetHeader) && headroom >= inner_header_size);
constexpr std::size_t buffer_size = headroom + max_frame_size;

// Limits the ICMP errors, because a sender that ignores them must not make us flood it with one for each of
// its frames.
constexpr unsigned max_answers_per_second = 100;

constexpr std::size_t ipv6_minimum_mtu = 1280;

// Returns the largest IP frame that the containers behind a peer take. Their MTU may differ from ours.
std::size_t receivable(const PeerView& peer, const NetworkView& network, const Layers& layers) noexcept {
  if (layers.network_offset == 0) return max_frame_size;
  std::size_t mtu = network.mtu != 0 ? network.mtu : max_frame_size;
  if (peer.mtu != 0) mtu = std::min(mtu, peer.mtu);
  return layers.network_offset + mtu;
}

// Returns the largest frame that should go to the peer in one piece: the path must carry it, and the other
// side must take it.
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

Encap::Encap(WorkerContext& context, SendBatch& send_batch)
    : context_(context),
      send_batch_(send_batch),
      lane_(context.lane),
      buffer_(std::make_unique_for_overwrite<std::byte[]>(buffer_size)),
      scratch_(std::make_unique_for_overwrite<std::byte[]>(buffer_size)) {}

bool Encap::drain(const PollContext& poll, const NetworkView& network, const TapQueue& queue,
                  unsigned budget) noexcept {
  std::byte* const start = buffer_.get() + headroom - sizeof(VnetHeader);
  for (unsigned i = 0; i < budget; ++i) {
    const TapResult read = queue.read({start, sizeof(VnetHeader) + max_frame_size});
    if (!read) {
      if (read.lost) context_.events.post({.kind = WorkerEvent::Kind::tap_lost, .network = network.number});
      return false;
    }
    handle(poll, network, queue, static_cast<std::size_t>(read.size));
  }
  return true;
}

void Encap::handle(const PollContext& poll, const NetworkView& network, const TapQueue& queue,
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

  out.layers = parse_frame(out.frame);
  const Decision decision = context_.forwarding.forward(poll.forwarding, network, out.frame, out.layers);
  carry_out(poll, out, decision);
}

void Encap::carry_out(const PollContext& poll, Outgoing& out, const Decision& decision) noexcept {
  if (decision.action == Decision::Action::answer) return answer_neighbour(out, decision);
  if (decision.counter) context_.counters.add(*decision.counter);
  if (decision.action == Decision::Action::give_back) return give_back(poll, out, decision.router);
  if (decision.action == Decision::Action::replicate) return send_to_all(poll, out, decision.peers);
  if (decision.action != Decision::Action::unicast) return;
  const auto& peers = poll.snapshot.peers;
  if (decision.peer < peers.size() && peers[decision.peer].id != 0)
    send_to(poll, peers[decision.peer], out, true);
  else
    context_.counters.add(Counter::dropped_no_peer);
}

// A loop probe goes only to the router that sent it, if that one has the segment: a router of another mesh on
// the same wire makes no loop, because no tunnel joins the two.
void Encap::give_back(const PollContext& poll, Outgoing& out, PeerId router) noexcept {
  const PeerView* const peer = poll.snapshot.routes.find(router);
  if (peer == nullptr) return;
  const auto slot = static_cast<PeerSlot>(peer - poll.snapshot.peers.data());
  const auto& members = out.network.members;
  if (std::find(members.begin(), members.end(), slot) == members.end()) return;
  out.frame = out.frame.first(loop_probe_size);
  send_to(poll, *peer, out, true);
}

void Encap::answer_neighbour(const Outgoing& out, const Decision& decision) noexcept {
  std::array<std::byte, max_neighbour_answer> answer;
  const std::size_t size = build_neighbour_answer(out.frame, out.layers, decision.mac, answer);
  write_back(out, ConstBytes{answer}.first(size), *decision.counter);
}

// Writes a frame to the TAP that the outgoing frame came from.
void Encap::write_back(const Outgoing& out, ConstBytes frame, Counter counter) noexcept {
  if (out.queue.write_frame(frame)) context_.counters.add(counter);
}

void Encap::send_to_all(const PollContext& poll, Outgoing& out, std::span<const PeerSlot> peers) noexcept {
  for (std::size_t i = 0; i < peers.size(); ++i)
    send_to(poll, poll.snapshot.peers[peers[i]], out, i + 1 == peers.size());
}

// If `last` is set, no other peer needs the frame afterwards, so it may be segmented in place.
void Encap::send_to(const PollContext& poll, const PeerView& peer, Outgoing& out, bool last) noexcept {
  if (peer.session == nullptr) {
    context_.counters.add(Counter::dropped_no_key);
    return;
  }
  if (!peer.destination.reachable()) {
    context_.counters.add(Counter::dropped_no_endpoint);
    return;
  }
  choose_port(peer, out);
  if (out.vnet.gso_type != VnetHeader::gso_none) {
    send_superframe(poll, peer, out, last);
    return;
  }
  if (out.layers.tcp()) {
    const std::size_t limit = frame_limit(peer, out.network, out.layers);
    const bool partial = (out.vnet.flags & VnetHeader::needs_checksum) != 0;
    if (clamp_mss(out.frame, out.layers, limit - out.layers.network_offset, partial))
      context_.counters.add(Counter::mss_clamped);
  }
  encode(inner_of(out.network, out.vnet), {out.frame.data() - inner_header_size, inner_header_size});
  send_frame(poll, peer, out, out.frame);
}

// All packets of a flow leave from one port, so that none overtakes another. A flow whose port does not get
// through goes by the router's own; the others stay where they are.
void Encap::choose_port(const PeerView& peer, const Outgoing& out) noexcept {
  port_ = 0;
  if (peer.destination.side_ports != 0) {
    const std::uint64_t spread = context_.sources.count();
    const auto port = static_cast<unsigned>(flow_hash(out.frame, out.layers) * spread >> 32);
    if ((peer.destination.side_ports >> port & 1) != 0) port_ = port;
  }
  lane_ = context_.lane_of(port_);
}

void Encap::send_superframe(const PollContext& poll, const PeerView& peer, Outgoing& out,
                            bool last) noexcept {
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
  const auto counter = fits ? peer.session->sealing.reserve(lane_, segmenter->count()) : std::nullopt;
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
      send_frame(poll, peer, out, frame);
      continue;
    }
    const Bytes packet = send_batch_.claim(peer, port_, frame.size() + frame_overhead);
    seal(peer, *counter + i, content, packet);
  }
  if (fits) context_.counters.add(Counter::sealed_packets, segmenter->count());
}

// The caller has put the inner header in front of the frame.
void Encap::send_frame(const PollContext& poll, const PeerView& peer, const Outgoing& out,
                       Bytes frame) noexcept {
  const Bytes content{frame.data() - inner_header_size, frame.size() + inner_header_size};
  const std::size_t limit = frame_limit(peer, out.network, out.layers);
  if (frame.size() > limit) {
    const bool small_ipv6 = out.layers.ipv6() && frame.size() <= out.layers.network_offset + ipv6_minimum_mtu;
    if (!small_ipv6 && !is_group(destination_mac(frame)) && must_not_fragment(frame, out.layers)) {
      refuse(poll, out, frame, limit);
      return;
    }
    // Fragments of the tunnel are reassembled at the other end, which does not help if the whole frame is too
    // big there.
    if (frame.size() > receivable(peer, out.network, out.layers) && send_ip_fragments(peer, content, limit))
      return;
    if (frame.size() > peer.destination.max_frame()) {
      send_fragments(peer, content);
      return;
    }
  }
  seal(peer, content);
}

// Returns false if the frame cannot be fragmented as IPv4.
bool Encap::send_ip_fragments(const PeerView& peer, Bytes content, std::size_t max_frame) noexcept {
  const auto inner = decode_frame(content);
  const Bytes frame = content.subspan(inner_header_size);
  const auto plan = IpFragmenter::plan(frame, parse_frame(frame), max_frame);
  if (!inner || !plan) return false;
  SealingKey& key = peer.session->sealing;
  const auto counter = key.reserve(lane_, plan->count());
  if (!counter) {
    context_.counters.add(Counter::dropped_no_key);
    return true;
  }
  // Other peers may still get the frame, so its checksum is restored at the end.
  const std::size_t field = std::size_t{inner->checksum_start} + inner->checksum_offset;
  const std::uint16_t partial = inner->partial_checksum ? load16(&frame[field]) : std::uint16_t{0};
  if (inner->partial_checksum) complete_checksum(frame, inner->checksum_start, inner->checksum_offset);
  for (std::size_t i = 0; i < plan->count(); ++i) {
    const Bytes packet = send_batch_.claim(peer, port_, plan->size(i) + frame_overhead);
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

void Encap::send_fragments(const PeerView& peer, ConstBytes content) noexcept {
  SealingKey& key = peer.session->sealing;
  const std::size_t max_piece =
      peer.destination.max_sealed - sealed_header_size - tag_size - inner_header_size;
  const auto plan = Fragmenter::plan(content, max_piece, key.next_fragment_id(lane_));
  const auto counter = plan ? key.reserve(lane_, plan->count()) : std::nullopt;
  if (!counter) {
    context_.counters.add(plan ? Counter::dropped_no_key : Counter::dropped_too_big);
    return;
  }
  for (unsigned i = 0; i < plan->count(); ++i) {
    const Bytes packet = send_batch_.claim(peer, port_, sealed_header_size + plan->size(i) + tag_size);
    const Bytes piece = packet.subspan(sealed_header_size, plan->size(i));
    plan->write(i, piece);
    seal(peer, *counter + i, piece.data(), packet);
  }
  context_.counters.add(Counter::fragments_sent, plan->count());
  context_.counters.add(Counter::sealed_packets, plan->count());
}

void Encap::seal(const PeerView& peer, ConstBytes content) noexcept {
  SealingKey& key = peer.session->sealing;
  const auto counter = key.reserve(lane_, 1);
  if (!counter) {
    context_.counters.add(Counter::dropped_no_key);
    return;
  }
  const Bytes packet = send_batch_.claim(peer, port_, sealed_header_size + content.size() + tag_size);
  seal(peer, *counter, content.data(), packet);
  context_.counters.add(Counter::sealed_packets);
}

// Where both ends trust the wire, the content is not encrypted, and the tag proves who sent it.
void Encap::seal(const PeerView& peer, std::uint64_t counter, const std::byte* content,
                 Bytes packet) noexcept {
  const Session& session = *peer.session;
  if (!peer.destination.plain) {
    session.sealing.seal_reserved(lane_, counter, content, packet);
    return;
  }
  encode(SealedHeader{.plain = true,
                      .lane = static_cast<std::uint8_t>(lane_),
                      .key_index = session.sealing.index(),
                      .counter = counter},
         packet);
  std::memmove(packet.data() + sealed_header_size, content, packet.size() - sealed_header_size - tag_size);
  write_plain_tag(session.hop_seal, packet);
  context_.counters.add(Counter::plain_sent_packets);
}

// Tells the sender the MTU that fits, on the TAP that the frame came from.
void Encap::refuse(const PollContext& poll, const Outgoing& out, ConstBytes frame,
                   std::size_t limit) noexcept {
  context_.counters.add(Counter::dropped_too_big);
  if (!may_answer(poll.now)) return;
  std::array<std::byte, max_too_big_size> answer;
  const Layers layers = parse_frame(frame);
  const auto mtu = static_cast<std::uint32_t>(limit - layers.network_offset);
  const std::size_t size = build_too_big(frame, layers, mtu, answer);
  if (size == 0) return;
  write_back(out, ConstBytes{answer}.first(size), Counter::ptb_sent);
}

bool Encap::may_answer(Micros now) noexcept {
  if (now - answers_since_ >= microseconds_per_second) {
    answers_since_ = now;
    answers_ = 0;
  }
  return answers_++ < max_answers_per_second;
}

}  // namespace weft
