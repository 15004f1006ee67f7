#include "switch/forwarding.h"

#include <algorithm>

#include "packet/messages/neighbour.h"
#include "switch/resolver.h"

namespace weft {
namespace {

// Further events about those who claim what is not theirs would tell nothing new.
constexpr unsigned max_refusals_told_per_second = 4;

// So much time passes between two reports of loop probes, and between two that are given back: in a loop a
// probe may circle without end. Of a hundred routers on one wire each is told each second.
constexpr Micros loop_pause = 100 * microseconds_per_millisecond;
constexpr Micros give_back_pause = 10 * microseconds_per_millisecond;

// Between two hails of one peer that are told: a check takes one in a second.
constexpr Micros hail_pause = 100 * microseconds_per_millisecond;

// Multicast goes to some, not to all: its rate is the sender's business.
bool is_multicast(const MacAddress& mac) noexcept {
  const bool broadcast =
      std::all_of(mac.begin(), mac.end(), [](std::byte byte) { return byte == std::byte{0xff}; });
  return is_group(mac) && !broadcast;
}

Decision drop(std::optional<Counter> reason) noexcept {
  return {.action = Decision::Action::drop, .counter = reason};
}

}  // namespace

Decision Forwarding::forward(const ForwardingContext& context, const SegmentView& segment, ConstBytes frame,
                             const Layers& layers) noexcept {
  const Local in{context, segment, frame, layers};
  const MacAddress destination = destination_mac(frame);
  if (is_link_local_group(destination)) return drop(Counter::dropped_stp);
  if (is_group(destination) && is_loop_probe(frame)) return take_loop_probe(in);
  if (const auto refused = refuse_source(in)) return drop(refused);
  if (!admit_claims(in)) return drop(Counter::dropped_foreign_address);
  return is_group(destination) ? forward_group(in) : unicast(in, destination);
}

std::optional<Counter> Forwarding::admit(const ForwardingContext& context, const SegmentView& segment,
                                         ConstBytes frame, MacOwner from) noexcept {
  const MacAddress destination = destination_mac(frame);
  if (is_link_local_group(destination)) return Counter::dropped_stp;
  if (is_group(destination) && is_loop_probe(frame)) {
    if (const auto hail = decode_hail(frame)) return take_hail(context, segment, *hail, from);
    if (const auto probe = decode_loop_probe(frame)) tell_loop(context, segment, *probe, from);
    return Counter::loop_probes;
  }
  if (segment.muted && is_group(destination)) return Counter::dropped_muted;
  const MacAddress source = source_mac(frame);
  const Sighting sighting{source, segment.number, from, context.now_s(), &context.announced};
  if (claims_resolver(frame)) return Counter::dropped_foreign_address;
  if (sighting == last_remote_) return std::nullopt;
  const auto owner = context.announced.owner(segment.number, source);
  if (source == resolver_mac || owner.value_or(from) != from) return Counter::dropped_foreign_mac;
  if (!learn(context, segment.number, source, from, owner.has_value())) return Counter::dropped_new_mac;
  last_remote_ = sighting;
  return std::nullopt;
}

// Whether the probe came back or is another router's, no host behind the tunnel gets to see it. Only the
// router that sent it knows whether it is true.
Decision Forwarding::take_loop_probe(const Local& in) noexcept {
  const auto probe = decode_loop_probe(in.frame);
  const Decision end = drop(Counter::loop_probes);
  if (!probe || probe->network != in.segment.number) return end;
  if (probe->router == in.context.self) {
    tell_loop(in.context, in.segment, *probe, local_owner);
    return end;
  }
  if (in.context.now - given_back_ < give_back_pause) return end;
  given_back_ = in.context.now;
  return {.action = Decision::Action::give_back, .counter = Counter::loop_probes, .router = probe->router};
}

void Forwarding::tell_loop(const ForwardingContext& context, const SegmentView& segment,
                           const LoopProbe& probe, MacOwner at) noexcept {
  if (probe.router != context.self || probe.network != segment.number) return;
  if (context.now - loop_told_ < loop_pause) return;
  loop_told_ = context.now;
  observer_.loop_probe(probe, at);
}

// A hail ends here, in any case, but counts only where a broadcast would get through. Who sent it is known by
// the key that it came with.
std::optional<Counter> Forwarding::take_hail(const ForwardingContext& context, const SegmentView& segment,
                                             const Hail& hail, MacOwner from) noexcept {
  if (segment.muted) return Counter::dropped_muted;
  Micros& last = hailed_[from % hailed_.size()];
  if (hail.network == segment.number && (last == 0 || context.now - last >= hail_pause)) {
    last = context.now;
    observer_.hail(hail, from);
  }
  return Counter::loop_probes;
}

// Why the sender's MAC is refused: it was given to a container of another host, is the DNS server's, or is
// one new MAC too many.
std::optional<Counter> Forwarding::refuse_source(const Local& in) noexcept {
  const std::uint16_t network = in.segment.number;
  const MacAddress source = source_mac(in.frame);
  const Sighting sighting{source, network, local_owner, in.context.now_s(), &in.context.announced};
  if (sighting == last_local_) return std::nullopt;
  const auto owner = in.context.announced.owner(network, source);
  if (source == resolver_mac || owner.value_or(local_owner) != local_owner) {
    tell_refused(in, IpAddress());
    return Counter::dropped_foreign_mac;
  }
  // In a loop every station seems to be on this side, so nobody is learned.
  if (!in.segment.muted) {
    if (!owner && !is_group(source)) tell_stranger(in, source);
    if (!learn(in.context, network, source, local_owner, owner.has_value())) return Counter::dropped_new_mac;
  }
  last_local_ = sighting;
  return std::nullopt;
}

// Returns false if the frame tells everybody that an address is here which was given to a container of
// another host, or is the DNS server's.
bool Forwarding::admit_claims(const Local& in) noexcept {
  const NeighbourClaims claims = neighbour_claims(in.frame, in.layers);
  const auto addresses = claims.all();
  const auto refused = std::find_if(addresses.begin(), addresses.end(), [&](const IpAddress& address) {
    const auto known = in.context.announced.neighbour(in.segment.number, address);
    return is_resolver(address) || (known && known->owner != local_owner);
  });
  if (refused == addresses.end()) return true;
  tell_refused(in, *refused);
  return false;
}

// False if it is one new MAC too many. Those that routers announced do not count.
bool Forwarding::learn(const ForwardingContext& context, std::uint16_t network, const MacAddress& mac,
                       MacOwner owner, bool is_announced) noexcept {
  const auto limit = is_announced ? MacTable::Limit::none : MacTable::Limit::newcomers;
  const auto learned = macs_.learn(network, mac, owner, context.now_s(), limit);
  if (learned.what == MacTable::Learned::moved) observer_.mac_moved(network, mac, learned.previous, owner);
  return learned.what != MacTable::Learned::refused;
}

void Forwarding::tell_stranger(const Local& in, const MacAddress& mac) noexcept {
  const auto tell = strangers_.seen(in.segment.number, mac, in.context.now_s());
  if (tell == Strangers::Tell::nothing) return;
  observer_.mac_seen(in.segment.number, tell == Strangers::Tell::it ? mac : MacAddress{});
}

void Forwarding::tell_refused(const Local& in, const IpAddress& address) noexcept {
  if (refused_second_ != in.context.now_s()) {
    refused_second_ = in.context.now_s();
    refused_ = 0;
  }
  if (refused_++ >= max_refusals_told_per_second) return;
  observer_.refused(in.segment.number, source_mac(in.frame), address);
}

Decision Forwarding::forward_group(const Local& in) noexcept {
  if (const auto suppressed = suppress_question(in)) return *suppressed;
  const GroupMessageKind message = group_message(in.frame, in.layers);
  if (message.kind != GroupMessage::none) snoop(in, message);
  const GroupTable& wanted = *in.segment.wanted;
  // A host that hears the report of another may withhold its own, so only multicast routers get reports.
  if (message.kind == GroupMessage::report) return multicast(in.segment, wanted.routers(in.layers.ipv4()));
  const auto group = message.kind == GroupMessage::none ? reported_group(in.frame, in.layers) : std::nullopt;
  if (group && !new_groups_.is_new({in.segment.number, *group}, in.context.now))
    return multicast(in.segment, wanted.wanting(*group));
  return flood(in);
}

// Nobody elsewhere needs to be asked for an address that was announced.
std::optional<Decision> Forwarding::suppress_question(const Local& in) noexcept {
  const auto asked = neighbour_question(in.frame, in.layers);
  const auto known = asked ? in.context.announced.neighbour(in.segment.number, *asked) : std::nullopt;
  if (!known || known->mac == source_mac(in.frame)) return std::nullopt;
  if (known->owner == local_owner) return drop(Counter::neighbours_kept);
  return Decision{
      .action = Decision::Action::answer, .counter = Counter::neighbours_answered, .mac = known->mac};
}

void Forwarding::snoop(const Local& in, const GroupMessageKind& message) noexcept {
  struct Reports final : GroupReportSink {
    LocalGroups& groups;
    ForwardingObserver& observer;
    std::uint16_t network;
    Micros now;
    bool changed = false;

    Reports(LocalGroups& local, ForwardingObserver& to, std::uint16_t number, Micros time)
        : groups(local), observer(to), network(number), now(time) {}
    void wanted(const IpAddress& group) noexcept override {
      changed = (is_reported(group) && groups.wanted(group, now)) || changed;
    }
    void left(const IpAddress& group) noexcept override {
      if (is_reported(group) && groups.left(group, now)) observer.group_left(network, group);
    }
  };
  Reports reports(*in.segment.local_groups, observer_, in.segment.number, in.context.now);
  if (message.kind == GroupMessage::report) read_group_reports(in.frame, in.layers, reports);
  if (message.from_router) reports.changed = reports.groups.router(in.layers.ipv4(), in.context.now);
  // If the event is lost, the control thread finds the change within a second.
  if (reports.changed) observer_.groups_changed(in.segment.number);
}

Decision Forwarding::multicast(const SegmentView& segment, std::span<const MacOwner> peers) noexcept {
  if (segment.muted) return drop(Counter::dropped_muted);
  if (peers.empty()) return drop(Counter::multicast_kept);
  return {.action = Decision::Action::replicate, .counter = Counter::multicast_sent, .peers = peers};
}

// An announcement counts more than what was learned: it is newer, and nobody can forge it.
Decision Forwarding::unicast(const Local& in, const MacAddress& destination) noexcept {
  const std::uint16_t network = in.segment.number;
  const auto announced = in.context.announced.owner(network, destination);
  const auto owner = announced ? announced : macs_.lookup(network, destination, in.context.now_s());
  if (!owner) return flood(in);
  // The bridge floods frames to stations that it does not know yet, and those are not for the tunnel.
  if (*owner == local_owner) return drop(Counter::dropped_local);
  return {.action = Decision::Action::unicast, .counter = std::nullopt, .peer = *owner};
}

Decision Forwarding::flood(const Local& in) noexcept {
  const SegmentView& segment = in.segment;
  if (segment.members.empty()) return drop(Counter::dropped_no_peer);
  if (segment.muted) return drop(Counter::dropped_muted);
  if (!is_multicast(destination_mac(in.frame)) &&
      !storm_control_.admit(segment.number, in.context.storm_limit, in.context.now)) {
    if (storm_control_.is_news(segment.number, in.context.now)) observer_.storm(segment.number);
    return drop(Counter::dropped_storm);
  }
  return {.action = Decision::Action::replicate, .counter = Counter::flooded, .peers = segment.members};
}

}  // namespace weft
