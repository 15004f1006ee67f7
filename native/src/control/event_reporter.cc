#include "control/event_reporter.h"

#include "control/protocol/text.h"

namespace weft {
namespace {

Json endpoint_text(const Path& path) {
  return path.endpoint() ? Json(path.endpoint()->text()) : Json(nullptr);
}

Json id_or_null(const Peer* peer) {
  return peer == nullptr ? Json(nullptr) : Json(peer_text(peer->id()));
}

std::string peer_line(const Peer& peer) {
  return "peer " + peer_text(peer.id());
}

std::string network_line(std::uint16_t network) {
  return "network " + std::to_string(network) + ": ";
}

}  // namespace

void EventReporter::emit(std::string_view event, Json fields) {
  fields["event"] = event;
  server_.broadcast(fields);
}

void EventReporter::peer_up(const Peer& peer) {
  const Path& path = peer.path();
  emit("peer-up",
       {{"peer", peer_text(peer.id())}, {"endpoint", endpoint_text(path)}, {"rtt", path.rtt().smoothed()}});
  path_log_(Level::info, peer_line(peer) + " up" +
                             (path.way() == Way::relay ? " through " + peer_text(peer.via.value_or(0))
                              : path.on_stream()       ? " by tcp"
                                                 : " at " + path.endpoint().value_or(Endpoint{}).text()));
}

void EventReporter::peer_down(const Peer& peer) {
  emit("peer-down", {{"peer", peer_text(peer.id())},
                     {"endpoint", endpoint_text(peer.path())},
                     {"rtt", peer.path().rtt().smoothed()}});
  path_log_(Level::warning, peer_line(peer) + " down");
}

void EventReporter::peer_endpoint(const Peer& peer, bool roamed) {
  const std::string endpoint = peer.path().endpoint().value_or(Endpoint{}).text();
  emit("endpoint",
       {{"peer", peer_text(peer.id())}, {"endpoint", endpoint}, {"reason", roamed ? "roamed" : "probe"}});
  path_log_(Level::info, peer_line(peer) + (roamed ? " moved to " : " answers at ") + endpoint);
}

void EventReporter::peer_source(const Peer& peer) {
  const IpAddress& source = peer.path().source();
  path_log_(Level::info, peer_line(peer) + " answers what is sent from " +
                             (source.empty() ? "the address of the route" : source.text()));
}

void EventReporter::peer_direct(const Peer& peer, bool answers) {
  emit("direct", {{"peer", peer_text(peer.id())}, {"answers", answers}});
}

void EventReporter::peer_probed(const Peer& peer, std::uint32_t id, Micros rtt) {
  emit("probed", {{"peer", peer_text(peer.id())}, {"id", id}, {"rtt", rtt}});
}

void EventReporter::peer_path_mtu(const Peer& peer) {
  emit("path-mtu", {{"peer", peer_text(peer.id())}, {"pathMtu", peer.path().mtu()}});
  path_log_(Level::info, peer_line(peer) + " path MTU " + std::to_string(peer.path().mtu()));
}

void EventReporter::peer_observed(const Peer& peer) {
  emit("observed", {{"peer", peer_text(peer.id())}, {"address", peer.path().observed().text()}});
}

void EventReporter::peer_transport(const Peer& peer) {
  const std::string transport = peer.path().on_stream() ? "tcp" : "udp";
  emit("transport", {{"peer", peer_text(peer.id())}, {"transport", transport}});
  path_log_(Level::info, peer_line(peer) + " by " + transport);
}

void EventReporter::key_confirmed(const Peer& peer, std::uint32_t local_index) {
  emit("key-confirmed", {{"peer", peer_text(peer.id())}, {"localIndex", local_index}});
}

void EventReporter::key_expiring(const Peer& peer, std::uint32_t local_index) {
  emit("key-expiring", {{"peer", peer_text(peer.id())}, {"localIndex", local_index}});
}

void EventReporter::last_key_expired(const Peer& peer) {
  path_log_(Level::warning, peer_line(peer) + ": the last key is " +
                                std::to_string(Peer::key_life / (3600 * microseconds_per_second)) +
                                " hours old, and so not used any more; a new one takes both daemons");
}

void EventReporter::stream_breaks(const Peer& peer) {
  path_log_(Level::warning, peer_line(peer) + ": the TCP connection is lost");
}

void EventReporter::stream_lost(const Peer& peer) {
  emit("stream-lost", {{"peer", peer_text(peer.id())}});
}

void EventReporter::mac_moved(std::uint16_t network, const MacAddress& mac, const Peer* from,
                              const Peer* to) {
  const Json former = id_or_null(from);
  const Json owner = id_or_null(to);
  mac_log_(Level::info,
           network_line(network) + mac_text(mac) + " moved from " + former.dump() + " to " + owner.dump());
  emit("mac-moved", {{"network", network}, {"mac", mac_text(mac)}, {"from", former}, {"to", owner}});
}

void EventReporter::mac_seen(const WorkerEvent& event) {
  const bool more = event.mac == MacAddress{};
  emit("mac-seen", {{"network", event.network}, {"mac", more ? Json(nullptr) : Json(mac_text(event.mac))}});
}

void EventReporter::refused(const WorkerEvent& event) {
  const bool itself = event.address == IpAddress();
  emit("refused", {{"network", event.network},
                   {"mac", mac_text(event.mac)},
                   {"address", itself ? Json(nullptr) : Json(event.address.text())}});
}

void EventReporter::groups(std::uint16_t network, const std::vector<IpAddress>& groups) {
  emit("groups", {{"network", network}, {"groups", texts_of(groups)}});
}

void EventReporter::loop(std::uint16_t network, const Peer* with, bool muted) {
  loop_log_(Level::warning, network_line(network) + "there is a way beside the tunnel " +
                                (with == nullptr ? "back to this host" : "to " + peer_text(with->id())) +
                                (muted ? ": what goes to everybody is stopped here" : ""));
  emit("loop", {{"network", network}, {"peer", id_or_null(with)}, {"muted", muted}});
}

void EventReporter::loop_over(std::uint16_t network) {
  loop_log_(Level::info, network_line(network) + "the loop is gone");
  emit("loop-over", {{"network", network}});
}

void EventReporter::hail(const Peer& peer, std::uint16_t network, std::uint32_t number) {
  emit("hail", {{"peer", peer_text(peer.id())}, {"network", network}, {"number", number}});
}

void EventReporter::storm(std::uint16_t network, std::uint32_t limit) {
  log_line(Level::warning, network_line(network) + "more than " + std::to_string(limit) +
                               " frames a second go to everybody, the rest is dropped");
  emit("storm", {{"network", network}, {"limit", limit}});
}

void EventReporter::kernel_path(std::uint16_t network, const Peer& peer, const KernelPath& path) {
  path_log_(Level::info,
            network_line(network) + "kernel path to " + peer_line(peer) + (path.up() ? " up" : " down"));
  emit("kernel-path", {{"network", network},
                       {"peer", peer_text(peer.id())},
                       {"up", path.up()},
                       {"rtt", path.rtt().known() ? Json(path.rtt().smoothed()) : Json(nullptr)}});
}

void EventReporter::kernel_path_lost(std::uint16_t network, const std::string& name) {
  log_line(Level::warning, network_line(network) + "kernel path " + name + " went down or was deleted");
  emit("kernel-path-lost", {{"network", network}});
}

void EventReporter::tap_lost(std::uint16_t network, const std::string& name) {
  log_line(Level::warning, network_line(network) + "TAP " + name + " was deleted");
  emit("tap-lost", {{"network", network}});
}

void EventReporter::gso_failed() {
  log_line(Level::warning, "offload udp-gso off: the way out of this host refused it");
}

}  // namespace weft
