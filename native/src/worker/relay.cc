#include "worker/relay.h"

#include "worker/send/transmit.h"

namespace weft {

Bytes Relay::handle(const PollContext& poll, Bytes datagram) noexcept {
  Counters& counters = context_.counters;
  const auto decoded = decode_relay(datagram);
  if (!decoded) {
    counters.add(decoded.error == WireError::too_short ? Counter::dropped_short : Counter::dropped_bad_field);
    return {};
  }
  const Session* hop = poll.snapshot.keys.find(decoded->hop_key_index);
  if (hop == nullptr) {
    counters.add(Counter::dropped_unknown_key);
    return {};
  }
  if (!verify_hop_tag(hop->hop_open, datagram)) {
    counters.add(Counter::dropped_hop_tag);
    return {};
  }
  if (decoded->destination == poll.snapshot.self) return relayed_packet(datagram);

  const PeerView* to = poll.snapshot.routes.find(decoded->destination);
  // A packet sent back to the router that it came from would loop between the two.
  if (to == nullptr || !to->destination.reachable() || to->next_session() == nullptr ||
      to->next_session()->peer == hop->peer) {
    counters.add(Counter::dropped_no_route);
    return {};
  }
  if (decoded->hop_limit <= 1) {
    counters.add(Counter::dropped_hop_limit);
    return {};
  }
  RelayHeader header = *decoded;
  --header.hop_limit;
  header.hop_key_index = to->next_session()->sealing.index();
  encode(header, to->next_session()->hop_seal, datagram);
  forward(*to, datagram);
  return {};
}

void Relay::forward(const PeerView& next, Bytes datagram) noexcept {
  const auto follows = [&] {
    return datagram.data() == came_to_ || datagram.data() == came_to_ + stream_prefix;
  };
  const bool joins = packets_ > 0 && next_ == &next && follows() && datagram.size() <= segment_size_ &&
                     run_.size() == packets_ * segment_size_ &&
                     run_.size() + datagram.size() <= max_segmented_payload &&
                     packets_ < context_.switches.max_segments.load(std::memory_order_relaxed);
  if (!joins) {
    flush();
    next_ = &next;
    run_ = {datagram.data(), 0};
    segment_size_ = datagram.size();
  }
  came_to_ = datagram.data() + datagram.size();
  std::byte* const end = run_.data() + run_.size();
  if (end != datagram.data()) std::memmove(end, datagram.data(), datagram.size());
  run_ = {run_.data(), run_.size() + datagram.size()};
  ++packets_;
}

void Relay::flush() noexcept {
  if (packets_ == 0) return;
  transmit(context_, *next_, 0, run_, segment_size_, packets_);
  context_.counters.add(Counter::relayed_packets, packets_);
  packets_ = 0;
  next_ = nullptr;
}

}  // namespace weft
