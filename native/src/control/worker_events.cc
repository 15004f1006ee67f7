/// Handlers of the workers' events.
#include "control/forwarder.h"

namespace weft {
namespace {

// Minimum time between two reports of a continuing storm.
constexpr Micros storm_pause = 60 * microseconds_per_second;

}  // namespace

void Forwarder::take_events(Worker& worker) {
  worker.events().acknowledge();
  WorkerEvent event;
  while (worker.events().next(event))
    on_event(event);
}

void Forwarder::on_event(const WorkerEvent& event) {
  if (event.kind == WorkerEvent::Kind::mac_moved) {
    reporter_.mac_moved(event.network, event.mac, state_.at_slot(event.from), state_.at_slot(event.to));
    return;
  }
  if (event.kind == WorkerEvent::Kind::mac_seen) return reporter_.mac_seen(event);
  if (event.kind == WorkerEvent::Kind::refused) return reporter_.refused(event);
  if (event.kind == WorkerEvent::Kind::tap_lost) return on_tap_lost(event.network);
  if (event.kind == WorkerEvent::Kind::gso_failed) return on_gso_failed();
  if (event.kind == WorkerEvent::Kind::group_left || event.kind == WorkerEvent::Kind::groups_changed)
    return on_group_event(event);
  if (event.kind == WorkerEvent::Kind::loop_probe) return on_loop_probe(event);
  if (event.kind == WorkerEvent::Kind::hail) return on_hail(event);
  if (event.kind == WorkerEvent::Kind::storm) return on_storm(event.network);
  Peer* peer = state_.find(event.peer);
  if (peer == nullptr) return;
  const Micros now = monotonic_now();
  if (event.kind == WorkerEvent::Kind::reply) {
    peer->path().on_reply(event.id, event.endpoint, event.when);
  } else if (event.kind == WorkerEvent::Kind::source) {
    peer->path().on_source(event.endpoint, event.address, event.probe, now);
  } else if (event.kind == WorkerEvent::Kind::too_big) {
    peer->path().on_too_big(event.size, now);
  } else if (event.kind == WorkerEvent::Kind::stream_lost) {
    on_stream_lost(*peer, event.id);
  } else if (event.kind == WorkerEvent::Kind::key_used) {
    dirty_ = true;
    reporter_.key_confirmed(*peer, event.id);
  }
}

void Forwarder::on_loop_probe(const WorkerEvent& event) {
  const auto at = state_.networks.find(event.network);
  const Peer* peer = state_.at_slot(event.from);
  if (at == state_.networks.end() || (peer == nullptr && event.from != local_owner)) return;
  LoopGuard& loop = at->second.loop;
  const PeerId from = peer == nullptr ? state_.self : peer->id();
  if (!loop.heard(state_.self, from, event.number, monotonic_now())) return;
  dirty_ = true;
  reporter_.loop(event.network, peer, loop.muted());
}

void Forwarder::on_hail(const WorkerEvent& event) {
  if (const Peer* peer = state_.at_slot(event.from)) reporter_.hail(*peer, event.network, event.id);
}

void Forwarder::on_storm(std::uint16_t number) {
  const auto at = state_.networks.find(number);
  const Micros now = monotonic_now();
  if (at == state_.networks.end() || now < at->second.next_storm_report) return;
  at->second.next_storm_report = now + storm_pause;
  reporter_.storm(number, switches_.storm_limit);
}

void Forwarder::on_stream_lost(Peer& peer, std::uint32_t id) {
  // The peer may have a new stream by now.
  if (peer.stream == nullptr || peer.stream->id() != id) return;
  reporter_.stream_breaks(peer);
  drop_stream(peer);
  reporter_.stream_lost(peer);
}

void Forwarder::on_tap_lost(std::uint16_t number) {
  const auto at = state_.networks.find(number);
  if (at == state_.networks.end() || at->second.taps == nullptr) return;
  const std::string name = at->second.taps->name;
  detach_taps(at->second);
  dirty_ = true;
  reporter_.tap_lost(number, name);
}

void Forwarder::on_gso_failed() {
  offloads_.unavailable(Offload::udp_gso, "the way out of this host refused UDP_SEGMENT");
  EventReporter::gso_failed();
}

void Forwarder::on_group_event(const WorkerEvent& event) {
  const auto at = state_.networks.find(event.network);
  if (at == state_.networks.end()) return;
  Network& network = at->second;
  if (event.kind != WorkerEvent::Kind::group_left)
    tell_groups(network, monotonic_now());
  else if (network.taps != nullptr && state_.self != 0)
    GroupQuerier::ask(state_.self, *network.taps, event.address);
}

}  // namespace weft
