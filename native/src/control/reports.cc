#include <algorithm>
#include <bit>

#include "control/forwarder.h"
#include "control/protocol/text.h"

namespace weft {
namespace {

double seconds(Micros duration) {
  return static_cast<double>(duration) / static_cast<double>(microseconds_per_second);
}

Json texts(const Subnets& subnets) {
  Json list = Json::array();
  for (const Subnet& subnet : subnets)
    list.push_back(subnet.text());
  return list;
}

Json key_state(const Session& session, const Session* sealing, Micros now) {
  return {{"localIndex", session.opening.index()},
          {"remoteIndex", session.sealing.index()},
          {"cipher", cipher_name(session.cipher)},
          {"role", session.role == Role::initiator ? "initiator" : "responder"},
          {"sealing", &session == sealing},
          {"sentPackets", session.sealing.sent()},
          {"trusted", texts(session.trust.ours)},
          {"age", seconds(now - session.created)}};
}

template <typename T>
Json or_null(bool there, const T& value) {
  return there ? Json(value) : Json(nullptr);
}

Json endpoint_in_use(const Path& path) {
  return path.endpoint() && !path.on_stream() ? Json(path.endpoint()->text()) : Json(nullptr);
}

Json candidate_state(const Candidate& candidate, Micros now) {
  const Micros answered = candidate.last_answer;
  return {{"endpoint", candidate.endpoint.text()},
          {"learned", candidate.learned},
          {"probes", candidate.probes},
          {"answers", candidate.answers},
          {"rtt", or_null(candidate.rtt.known(), candidate.rtt.smoothed())},
          {"lastAnswer", or_null(answered != 0, seconds(now - std::min(now, answered)))}};
}

Json peer_state(const Peer& peer, Micros now) {
  const Path& path = peer.path();
  Json candidates = Json::array();
  for (const Candidate& candidate : path.candidates())
    candidates.push_back(candidate_state(candidate, now));
  Json keys = Json::array();
  for (const auto& session : peer.sessions())
    keys.push_back(key_state(*session, peer.sealing_session(), now));
  std::uint64_t sent_bytes = 0;
  std::uint64_t sent_packets = 0;
  std::uint64_t received_bytes = 0;
  std::uint64_t received_packets = 0;
  Micros last_received = 0;
  for (const PeerTraffic& row : peer.traffic()) {
    sent_bytes += row.sent_bytes.load(std::memory_order_relaxed);
    sent_packets += row.sent_packets.load(std::memory_order_relaxed);
    received_bytes += row.received_bytes.load(std::memory_order_relaxed);
    received_packets += row.received_packets.load(std::memory_order_relaxed);
    last_received = std::max(last_received, row.last_received.load(std::memory_order_relaxed));
  }
  return {{"peer", peer_text(peer.id())},
          {"via", or_null(peer.via.has_value(), peer_text(peer.via.value_or(0)))},
          {"transport", path.on_stream() ? "tcp" : "udp"},
          {"direct", path.direct()},
          {"networks", peer.networks},
          {"candidates", std::move(candidates)},
          {"endpoint", endpoint_in_use(path)},
          {"keys", std::move(keys)},
          {"plain", is_plain(peer)},
          {"up", path.up()},
          {"rtt", or_null(path.rtt().known(), path.rtt().smoothed())},
          {"rttVariance", or_null(path.rtt().known(), path.rtt().variance())},
          {"loss", path.loss()},
          {"pathMtu", path.mtu()},
          {"sourcePorts",
           {{"used", 1 + std::popcount(path.spread().usable())},
            {"of", path.spread().count()},
            {"probed", path.spread().asking()}}},
          {"observed", path.observed().empty() ? Json(nullptr) : Json(path.observed().text())},
          {"sentBytes", sent_bytes},
          {"sentPackets", sent_packets},
          {"receivedBytes", received_bytes},
          {"receivedPackets", received_packets},
          {"lastReceived", or_null(last_received != 0, seconds(now - std::min(now, last_received)))}};
}

Json loop_state(const LoopGuard& loop) {
  if (!loop.with()) return nullptr;
  return {{"with", peer_text(*loop.with())}, {"muted", loop.muted()}};
}

}  // namespace

Json Forwarder::dump() const {
  const Micros now = monotonic_now();
  Json peers = Json::array();
  for (const auto& [id, peer] : state_.peers())
    peers.push_back(peer_state(*peer, now));
  Json networks = Json::array();
  for (const auto& [number, network] : state_.networks)
    networks.push_back({{"network", number},
                        {"name", or_null(network.taps != nullptr, network.taps ? network.taps->name : "")},
                        {"mtu", or_null(network.mtu != 0, network.mtu)},
                        {"loop", loop_state(network.loop)},
                        {"kernelPath", or_null(!kernel_paths_.device(number).empty(),
                                               std::string(kernel_paths_.device(number)))},
                        {"queues", network.taps ? network.taps->queues.size() : 0}});
  return {
      {"peers", std::move(peers)}, {"networks", std::move(networks)}, {"kernelPaths", kernel_path_states()}};
}

Json Forwarder::owner_text(MacOwner owner) const {
  const Peer* peer = state_.at_slot(owner);
  return peer == nullptr ? Json(nullptr) : Json(peer_text(peer->id()));
}

Json Forwarder::mac_table() const {
  const auto now_s = static_cast<std::uint32_t>(monotonic_now() / microseconds_per_second);
  Json macs = Json::array();
  macs_.for_each([&](const MacTable::Entry& entry) {
    // The entries of a peer that has just been removed must not be shown as those of this host.
    if (entry.owner != local_owner && state_.at_slot(entry.owner) == nullptr) return;
    macs.push_back({{"network", entry.network},
                    {"mac", mac_text(entry.mac)},
                    {"peer", owner_text(entry.owner)},
                    {"age", now_s - std::min(now_s, entry.seen_s)}});
  });
  return {{"macs", std::move(macs)}};
}

Json Forwarder::stats() const {
  Json total = Json::object();
  Json workers(workers_.size(), Json::object());
  for (std::size_t i = 0; i < counter_count; ++i) {
    const auto counter = static_cast<Counter>(i);
    const std::string name(counter_infos[i].name);
    std::uint64_t sum = counters_.read(counter);
    for (std::size_t w = 0; w < workers_.size(); ++w) {
      const std::uint64_t value = workers_[w]->counters().read(counter);
      workers[w][name] = value;
      sum += value;
    }
    total[name] = sum;
  }
  return {{"counters", std::move(total)}, {"workers", std::move(workers)}};
}

}  // namespace weft
