/// Requests about kernel paths, and what the paths need from the forwarder.
#include "control/forwarder.h"
#include "control/protocol/text.h"
#include "control/requests.h"
#include "io/device/packet_socket.h"

namespace weft {

Json Forwarder::open_kernel_path(const Fields& fields, std::vector<Fd>& fds) {
  const DeviceRequest request(fields);
  const std::string network = std::to_string(request.network);
  if (!state_.networks.contains(request.network))
    throw RequestError("unknown-network", "there is no network " + network);
  if (fds.size() != 1) throw RequestError("bad-request", "one descriptor must come with the request");
  if (!ignore_outgoing(fds.front().get()))
    throw RequestError("bad-kernel-path", "the descriptor is not a packet socket");
  kernel_paths_.open(request.network, request.name, std::move(fds.front()), monotonic_now());
  log_line(Level::info, "network " + network + ": kernel path through " + request.name);
  return Json::object();
}

Json Forwarder::close_kernel_path(const Fields& fields) {
  kernel_paths_.close(NetworkRequest(fields).network);
  return Json::object();
}

Json Forwarder::set_kernel_path(const Fields& fields) {
  const KernelPathSetRequest request(fields);
  const KernelPathSetting setting{request.mac, request.source, request.mtu};
  if (!kernel_paths_.set({request.network, required_peer(fields).id()}, setting, monotonic_now()))
    throw RequestError("too-many-paths",
                       "there are " + std::to_string(KernelPaths::max_paths) + " kernel paths already");
  return Json::object();
}

Json Forwarder::remove_kernel_path(const Fields& fields) {
  const KernelPathRequest request(fields);
  kernel_paths_.remove({request.network, request.peer});
  return Json::object();
}

Json Forwarder::kernel_path_states() const {
  Json states = Json::array();
  for (const auto& [key, state] : kernel_paths_.paths()) {
    const KernelPath& path = state.path;
    const bool opened = !kernel_paths_.device(key.first).empty();
    const std::string problem(opened ? state.problem : "no-device");
    states.push_back({{"network", key.first},
                      {"peer", peer_text(key.second)},
                      {"up", path.up()},
                      {"rtt", path.rtt().known() ? Json(path.rtt().smoothed()) : Json(nullptr)},
                      {"probes", path.probes()},
                      {"answers", path.answers()},
                      {"problem", problem.empty() ? Json(nullptr) : Json(problem)}});
  }
  return states;
}

// As the workers see it: a key that they cannot open with yet is none.
Session* Forwarder::opening_session(std::uint32_t local_index) {
  return snapshots_.current().keys.find(local_index);
}

Session* Forwarder::sealing_session(PeerId id) {
  const Peer* peer = state_.find(id);
  return peer == nullptr ? nullptr : peer->sealing_session();
}

void Forwarder::key_used(Session& session) {
  if (session.used.exchange(true)) return;
  dirty_ = true;
  if (const Peer* peer = state_.find(session.peer)) reporter_.key_confirmed(*peer, session.opening.index());
}

void Forwarder::kernel_path_changed(std::uint16_t network, PeerId id, const KernelPath& path) {
  if (const Peer* peer = state_.find(id)) reporter_.kernel_path(network, *peer, path);
}

void Forwarder::kernel_path_lost(std::uint16_t network, const std::string& name) {
  reporter_.kernel_path_lost(network, name);
}

}  // namespace weft
