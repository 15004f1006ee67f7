#include <sodium.h>
#include <unistd.h>

#include <algorithm>

#include "control/forwarder.h"
#include "control/protocol/text.h"
#include "io/tap.h"
#include "version.h"

namespace weft {
namespace {

constexpr std::uint64_t protocol_version = 1;
constexpr std::size_t max_candidates = 32;
constexpr std::size_t max_trusted = 32;
constexpr std::size_t min_mtu = 576;
constexpr std::size_t max_mtu = 65'535;
constexpr std::uint64_t min_keepalive_ms = 50;
constexpr std::uint64_t max_keepalive_ms = 600'000;

Role role_of(const std::string& text) {
  if (text == "initiator") return Role::initiator;
  if (text == "responder") return Role::responder;
  throw RequestError("bad-request", "field 'role' must be initiator or responder");
}

}  // namespace

Json Forwarder::handle_request(const std::string& op, const Json& request, std::vector<Fd>& fds) {
  const Fields fields(request);
  if (op == "hello") return hello(fields);
  if (op == "self") return set_self(fields);
  if (op == "tap") return set_tap(fields, fds);
  if (op == "network.remove") return remove_network(fields);
  if (op == "network.mtu") return set_network_mtu(fields);
  if (op == "peer.set") return set_peer(fields);
  if (op == "peer.remove") return remove_peer(fields);
  if (op == "punch") return punch(fields);
  if (op == "probe") return probe(fields);
  if (op == "key.set") return set_key(fields);
  if (op == "key.remove") return remove_key(fields);
  if (op == "stream.set") return set_stream(fields, fds);
  if (op == "stream.remove") return remove_stream(fields);
  if (op == "endpoint.set") return set_endpoint(fields);
  if (op == "endpoint.remove") return remove_endpoint(fields);
  if (op == "endpoint.clear") return clear_endpoints();
  if (op == "announce") return announce(fields);
  if (op == "endpoints") return endpoint_table();
  if (op == "peer.groups") return set_peer_groups(fields);
  if (op == "groups") return local_groups();
  if (op == "offload.set") return set_offload(fields);
  if (op == "storm.set") return set_storm_limit(fields);
  if (op == "dump") return dump();
  if (op == "macs") return mac_table();
  if (op == "stats") return stats();
  if (op == "stop") return stop();
  throw RequestError("unknown-op", "there is no operation '" + op + "'");
}

Json Forwarder::hello(const Fields& fields) {
  if (fields.number("protocol", 0, UINT32_MAX) != protocol_version)
    throw RequestError("version-mismatch",
                       "this forwarder speaks protocol " + std::to_string(protocol_version));
  Json ciphers = Json::array();
  for (const CipherInfo& info : ciphers_)
    ciphers.push_back({{"name", cipher_name(info.cipher)},
                       {"implementation", info.implementation},
                       {"hardware", info.hardware},
                       {"nanosecondsPer1400", info.nanoseconds_per_1400}});
  return {{"protocol", protocol_version},
          {"version", version},
          {"pid", ::getpid()},
          {"port", port_},
          {"workers", workers_.size()},
          {"startedAt", started_at_},
          {"sandboxed", sandboxed_},
          {"stormLimit", switches_.storm_limit.load()},
          {"ciphers", std::move(ciphers)},
          {"offloads", offloads_.to_json(switches_)}};
}

Json Forwarder::set_self(const Fields& fields) {
  state_.self = fields.peer("peer");
  dirty_ = true;
  return Json::object();
}

Json Forwarder::set_tap(const Fields& fields, std::vector<Fd>& fds) {
  const auto number = static_cast<std::uint16_t>(fields.number("network", 0, UINT16_MAX));
  const std::string& name = fields.text("name");
  if (fds.empty()) throw RequestError("bad-request", "no descriptors came with the request");
  for (const Fd& fd : fds)
    if (!is_tap_queue(fd.get(), name))
      throw RequestError("bad-tap", "a descriptor is not a queue of TAP '" + name + "' with a vnet header");
  auto taps = std::make_shared<TapQueues>();
  taps->name = name;
  for (Fd& fd : fds)
    taps->queues.emplace_back(std::move(fd));

  Network& network = state_.networks[number];
  network.number = number;
  network.querier.restart();
  state_.groups_changed = true;
  detach_taps(network);
  network.taps = taps;
  apply_tap_offloads(*taps);
  // The workers must know the network before its frames wake them.
  publish();
  for (const auto& worker : workers_)
    worker->watch(number, *taps);
  log_line(Level::info, "network " + std::to_string(number) + ": TAP " + name + " with " +
                            std::to_string(taps->queues.size()) + " queues");
  return Json::object();
}

Json Forwarder::remove_network(const Fields& fields) {
  const auto number = static_cast<std::uint16_t>(fields.number("network", 0, UINT16_MAX));
  const auto at = state_.networks.find(number);
  if (at == state_.networks.end())
    throw RequestError("unknown-network", "there is no network " + std::to_string(number));
  detach_taps(at->second);
  state_.networks.erase(at);
  macs_.remove_network(number);
  dirty_ = true;
  return Json::object();
}

Json Forwarder::set_network_mtu(const Fields& fields) {
  const auto number = static_cast<std::uint16_t>(fields.number("network", 0, UINT16_MAX));
  Network& network = state_.networks[number];
  network.mtu = fields.number("mtu", min_mtu, max_mtu);
  network.number = number;
  dirty_ = true;
  return Json::object();
}

Json Forwarder::set_peer(const Fields& fields) {
  const PeerId id = fields.peer("peer");
  if (id == state_.self) throw RequestError("bad-request", "a peer cannot be this forwarder itself");
  const auto candidates = fields.endpoints("endpoints", max_candidates);
  const auto networks = fields.networks("networks");
  const auto via = fields.peer_or_none("via");
  if (via == id) throw RequestError("bad-request", "a peer cannot be reached through itself");
  const Micros keepalive = fields.number_or("keepalive", min_keepalive_ms, max_keepalive_ms,
                                            Liveness::default_keepalive / microseconds_per_millisecond) *
                           microseconds_per_millisecond;
  Peer* peer = state_.find(id);
  if (peer == nullptr) peer = state_.add(*this, id, workers_.size() + 1, randombytes_random());
  if (peer == nullptr)
    throw RequestError("too-many-peers", "there are " + std::to_string(max_peers) + " peers already");
  const Micros now = monotonic_now();
  const bool relay_changed = peer->via != via;
  peer->networks = {networks.begin(), networks.end()};
  state_.groups_changed = true;
  peer->via = via;
  peer->mtu = fields.number_or("mtu", min_mtu, max_mtu, 0);
  peer->path().set_keepalive(keepalive);
  peer->path().set_relayed(via.has_value(), relay_changed, now);
  peer->path().set_candidates(candidates, now);
  dirty_ = true;
  return Json::object();
}

Peer& Forwarder::required_peer(const Fields& fields) {
  const PeerId id = fields.peer("peer");
  Peer* peer = state_.find(id);
  if (peer == nullptr) throw RequestError("unknown-peer", "there is no peer " + peer_text(id));
  return *peer;
}

Json Forwarder::remove_peer(const Fields& fields) {
  const Peer& peer = required_peer(fields);
  const PeerSlot slot = peer.slot();
  if (peer.stream != nullptr) peer.stream->unwatch();
  state_.remove(peer.id());
  publish();
  // First no worker may learn for that slot any more.
  snapshots_.synchronize();
  macs_.remove_owner(slot);
  return Json::object();
}

Json Forwarder::punch(const Fields& fields) {
  required_peer(fields).path().punch(monotonic_now());
  return Json::object();
}

Json Forwarder::probe(const Fields& fields) {
  return {{"id", required_peer(fields).path().ask(monotonic_now())}};
}

Json Forwarder::set_key(const Fields& fields) {
  Peer& peer = required_peer(fields);
  const PeerId id = peer.id();
  const auto local_index = static_cast<std::uint32_t>(fields.number("localIndex", 1, UINT32_MAX));
  const auto remote_index = static_cast<std::uint32_t>(fields.number("remoteIndex", 1, UINT32_MAX));
  if (state_.key_owner(local_index) != nullptr)
    throw RequestError("index-in-use", "key index " + std::to_string(local_index) + " is taken");
  const auto cipher = cipher_from_name(fields.text("cipher"));
  if (!cipher) throw RequestError("unknown-cipher", "there is no cipher '" + fields.text("cipher") + "'");
  const Micros now = monotonic_now();
  auto session = std::make_shared<Session>(
      id, peer.slot(), role_of(fields.text("role")), *cipher, local_index, remote_index,
      make_aead(*cipher, fields.secret<32>("openKey"), local_index),
      make_aead(*cipher, fields.secret<32>("sealKey"), remote_index), fields.secret<16>("hopOpenKey"),
      fields.secret<16>("hopSealKey"),
      Trust{fields.subnets("trusted", max_trusted), fields.subnets("peerTrusts", max_trusted)}, now);
  peer.add_session(session);
  publish();
  // Before anybody seals with the key, here or (after our answer) over there, every worker must be able to
  // open with it.
  snapshots_.synchronize();
  session->installed = true;
  publish();
  // At once: the other side seals with the key when it has opened something with it.
  peer.path().set_ready(true, now);
  return Json::object();
}

Json Forwarder::remove_key(const Fields& fields) {
  const auto index = static_cast<std::uint32_t>(fields.number("localIndex", 1, UINT32_MAX));
  Peer* peer = state_.key_owner(index);
  if (peer == nullptr) throw RequestError("unknown-key", "there is no key " + std::to_string(index));
  peer->remove_session(index);
  if (peer->sessions().empty()) peer->path().set_ready(false, monotonic_now());
  dirty_ = true;
  return Json::object();
}

Json Forwarder::set_stream(const Fields& fields, std::vector<Fd>& fds) {
  const PeerId id = fields.peer("peer");
  Peer* peer = state_.find(id);
  if (peer == nullptr) throw RequestError("unknown-peer", "there is no peer " + peer_text(id));
  if (fds.size() != 1) throw RequestError("bad-request", "one descriptor must come with the request");
  auto stream = std::make_shared<Stream>(std::move(fds.front()), id, ++last_stream_);
  if (!stream->prepare()) throw RequestError("bad-stream", "the descriptor is not a TCP connection");
  if (peer->stream != nullptr) peer->stream->unwatch();
  peer->stream = stream;
  peer->path().set_stream(true, monotonic_now());
  // Its worker must know it before it wakes him.
  publish();
  workers_[peer->slot() % workers_.size()]->watch(*stream, peer->slot());
  return Json::object();
}

Json Forwarder::remove_stream(const Fields& fields) {
  const PeerId id = fields.peer("peer");
  Peer* peer = state_.find(id);
  if (peer == nullptr) throw RequestError("unknown-peer", "there is no peer " + peer_text(id));
  drop_stream(*peer);
  return Json::object();
}

Json Forwarder::set_offload(const Fields& fields) {
  const std::string& name = fields.text("name");
  const auto offload = offload_from_name(name);
  if (!offload) throw RequestError("unknown-offload", "there is no offload '" + name + "'");
  const bool enabled = fields.boolean("enabled");
  if (enabled && !offloads_.available(*offload))
    throw RequestError("unavailable",
                       "offload '" + name + "' is not available: " + offloads_.reason(*offload));
  switches_.set(*offload, enabled);
  if (*offload == Offload::udp_gro)
    for (const auto& worker : workers_)
      if (!worker->socket().set_gro(enabled)) throw RequestError("unavailable", "the kernel refused UDP_GRO");
  for (const auto& [number, network] : state_.networks)
    if (network.taps != nullptr) apply_tap_offloads(*network.taps);
  log_line(Level::info, "offload " + name + (enabled ? " on" : " off"));
  return Json::object();
}

Json Forwarder::set_storm_limit(const Fields& fields) {
  switches_.storm_limit = static_cast<std::uint32_t>(fields.number("limit", 0, UINT32_MAX));
  return Json::object();
}

Json Forwarder::stop() {
  stopping_ = true;
  return Json::object();
}

}  // namespace weft
