#include <sodium.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <type_traits>

#include "control/forwarder.h"
#include "control/protocol/text.h"
#include "control/requests.h"
#include "io/device/tap.h"
#include "version.h"

namespace weft {
namespace {

using Handler = Json (*)(Forwarder&, const Fields&, std::vector<Fd>&);

struct Operation {
  std::string_view op;
  Handler handle;
};

/// Turns a method into a handler: the method is given as many of the arguments as it takes.
template <auto Method>
Json handle(Forwarder& forwarder, const Fields& fields, std::vector<Fd>& fds) {
  using Called = decltype(Method);
  if constexpr (std::is_invocable_v<Called, Forwarder&, const Fields&, std::vector<Fd>&>)
    return (forwarder.*Method)(fields, fds);
  else if constexpr (std::is_invocable_v<Called, Forwarder&, const Fields&>)
    return (forwarder.*Method)(fields);
  else
    return (forwarder.*Method)();
}

}  // namespace

Json Forwarder::handle_request(const std::string& op, const Json& request, std::vector<Fd>& fds) {
  static constexpr std::array operations{
      Operation{"hello", handle<&Forwarder::hello>},
      Operation{"self", handle<&Forwarder::set_self>},
      Operation{"tap", handle<&Forwarder::set_tap>},
      Operation{"network.remove", handle<&Forwarder::remove_network>},
      Operation{"network.mtu", handle<&Forwarder::set_network_mtu>},
      Operation{"peer.set", handle<&Forwarder::set_peer>},
      Operation{"peer.remove", handle<&Forwarder::remove_peer>},
      Operation{"punch", handle<&Forwarder::punch>},
      Operation{"probe", handle<&Forwarder::probe>},
      Operation{"hail", handle<&Forwarder::hail>},
      Operation{"key.set", handle<&Forwarder::set_key>},
      Operation{"key.remove", handle<&Forwarder::remove_key>},
      Operation{"stream.set", handle<&Forwarder::set_stream>},
      Operation{"stream.remove", handle<&Forwarder::remove_stream>},
      Operation{"endpoint.set", handle<&Forwarder::set_endpoint>},
      Operation{"endpoint.remove", handle<&Forwarder::remove_endpoint>},
      Operation{"endpoint.clear", handle<&Forwarder::clear_endpoints>},
      Operation{"endpoints", handle<&Forwarder::endpoint_table>},
      Operation{"announce", handle<&Forwarder::announce>},
      Operation{"peer.groups", handle<&Forwarder::set_peer_groups>},
      Operation{"groups", handle<&Forwarder::local_groups>},
      Operation{"kernel-path.open", handle<&Forwarder::open_kernel_path>},
      Operation{"kernel-path.close", handle<&Forwarder::close_kernel_path>},
      Operation{"kernel-path.set", handle<&Forwarder::set_kernel_path>},
      Operation{"kernel-path.remove", handle<&Forwarder::remove_kernel_path>},
      Operation{"offload.set", handle<&Forwarder::set_offload>},
      Operation{"storm.set", handle<&Forwarder::set_storm_limit>},
      Operation{"dump", handle<&Forwarder::dump>},
      Operation{"macs", handle<&Forwarder::mac_table>},
      Operation{"stats", handle<&Forwarder::stats>},
      Operation{"stop", handle<&Forwarder::stop>},
  };
  static_assert(std::ranges::equal(operations, request_kinds, {}, &Operation::op, &RequestKind::op),
                "what can be handled is what can be asked");
  const Operation* const at = std::ranges::find(operations, std::string_view(op), &Operation::op);
  if (at == operations.end()) throw RequestError("unknown-op", "there is no operation '" + op + "'");
  return at->handle(*this, Fields(request), fds);
}

Json Forwarder::hello(const Fields& fields) {
  [[maybe_unused]] const HelloRequest request(fields);
  Json ciphers = Json::array();
  for (const CipherInfo& info : ciphers_)
    ciphers.push_back({{"name", cipher_name(info.cipher)},
                       {"implementation", info.implementation},
                       {"hardware", info.hardware},
                       {"nanosecondsPer1400", info.nanoseconds_per_1400}});
  return {{"protocol", control_protocol_version},
          {"version", version},
          {"pid", ::getpid()},
          {"port", port_},
          {"sourcePorts", sources_.numbers()},
          {"workers", workers_.size()},
          {"startedAt", started_at_},
          {"sandboxed", sandboxed_},
          {"stormLimit", switches_.storm_limit.load()},
          {"ciphers", std::move(ciphers)},
          {"offloads", offloads_.to_json(switches_)}};
}

Json Forwarder::set_self(const Fields& fields) {
  state_.self = PeerRequest(fields).peer;
  dirty_ = true;
  return Json::object();
}

Json Forwarder::set_tap(const Fields& fields, std::vector<Fd>& fds) {
  const DeviceRequest request(fields);
  const std::uint16_t number = request.network;
  const std::string& name = request.name;
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
  state_.renew_groups(number);
  detach_taps(network);
  network.taps = taps;
  apply_tap_offloads(*taps);
  // The workers need a snapshot that has the network before they receive frames from it.
  publish();
  for (const auto& worker : workers_)
    worker->watch(number, *taps);
  log_line(Level::info, "network " + std::to_string(number) + ": TAP " + name + " with " +
                            std::to_string(taps->queues.size()) + " queues");
  return Json::object();
}

Json Forwarder::remove_network(const Fields& fields) {
  const std::uint16_t number = NetworkRequest(fields).network;
  const auto at = state_.networks.find(number);
  if (at == state_.networks.end())
    throw RequestError("unknown-network", "there is no network " + std::to_string(number));
  detach_taps(at->second);
  kernel_paths_.close(number);
  state_.networks.erase(at);
  macs_.remove_network(number);
  dirty_ = true;
  return Json::object();
}

Json Forwarder::set_network_mtu(const Fields& fields) {
  const NetworkMtuRequest request(fields);
  Network& network = state_.networks[request.network];
  network.mtu = request.mtu;
  network.number = request.network;
  dirty_ = true;
  return Json::object();
}

Json Forwarder::set_peer(const Fields& fields) {
  const PeerSetRequest request(fields);
  const PeerId id = request.peer;
  if (id == state_.self) throw RequestError("bad-request", "a peer cannot be this forwarder itself");
  Peer* peer = state_.find(id);
  if (peer == nullptr)
    peer = state_.add(*this, id, workers_.size() + 1, sources_.count(), randombytes_random());
  if (peer == nullptr)
    throw RequestError("too-many-peers", "there are " + std::to_string(max_peers) + " peers already");
  const Micros now = monotonic_now();
  const bool relay_changed = peer->via != request.via;
  state_.set_networks(*peer, {request.networks.begin(), request.networks.end()});
  peer->via = request.via;
  peer->mtu = request.mtu;
  peer->path().set_keepalive(request.keepalive_ms == 0 ? Liveness::default_keepalive
                                                       : request.keepalive_ms * microseconds_per_millisecond);
  peer->path().set_relayed(request.via.has_value(), relay_changed, now);
  peer->path().set_candidates(request.candidates, now);
  dirty_ = true;
  return Json::object();
}

Peer& Forwarder::required_peer(const Fields& fields) {
  const PeerId id = PeerRequest(fields).peer;
  Peer* peer = state_.find(id);
  if (peer == nullptr) throw RequestError("unknown-peer", "there is no peer " + peer_text(id));
  return *peer;
}

Json Forwarder::remove_peer(const Fields& fields) {
  const Peer& peer = required_peer(fields);
  const PeerSlot slot = peer.slot();
  if (peer.stream != nullptr) peer.stream->unwatch();
  kernel_paths_.forget(peer.id());
  state_.remove(peer.id());
  publish();
  // The MAC entries can be removed only when no worker can add another one for that slot.
  snapshots_.synchronize();
  macs_.remove_owner(slot);
  return Json::object();
}

Json Forwarder::punch(const Fields& fields) {
  required_peer(fields).path().punch(monotonic_now());
  return Json::object();
}

Json Forwarder::probe(const Fields& fields) {
  const ProbeRequest request(fields);
  Peer& peer = required_peer(fields);
  const std::size_t size = request.mtu == 0 ? 0 : packet_size(peer, request.mtu);
  return {{"id", peer.path().ask(size, monotonic_now())}};
}

// Of the outer IP packet that carries a full frame of a container with that MTU to the peer.
std::size_t Forwarder::packet_size(const Peer& peer, std::size_t mtu) const {
  const bool relayed = peer.path().way() == Way::relay;
  const Peer* const next = relayed && peer.via ? state_.find(*peer.via) : &peer;
  const Endpoint to = next == nullptr ? Endpoint{} : next->path().endpoint().value_or(Endpoint{});
  return to.header_overhead() + (relayed ? relay_header_size : 0) + frame_overhead + ethernet_header_size +
         mtu;
}

Json Forwarder::set_key(const Fields& fields) {
  KeySetRequest request(fields);
  Peer& peer = required_peer(fields);
  if (state_.key_owner(request.local_index) != nullptr)
    throw RequestError("index-in-use", "key index " + std::to_string(request.local_index) + " is taken");
  const Micros now = monotonic_now();
  auto session = std::make_shared<Session>(
      peer.id(), peer.slot(), request.is_initiator ? Role::initiator : Role::responder, request.cipher,
      request.local_index, request.remote_index,
      make_aead(request.cipher, request.open_key, request.local_index),
      make_aead(request.cipher, request.seal_key, request.remote_index), std::move(request.hop_open_key),
      std::move(request.hop_seal_key), Trust{std::move(request.trusted), std::move(request.peer_trusts)},
      now);
  peer.add_session(session);
  publish();
  // Every worker must be able to open packets with the key before anybody seals with it: this host does so
  // when the key is marked as installed, and the peer when it has had our answer.
  snapshots_.synchronize();
  session->installed = true;
  publish();
  // The first probe leaves at once, because the other side seals with the key only after it has opened a
  // packet with it.
  peer.path().set_ready(true, now);
  return Json::object();
}

Json Forwarder::remove_key(const Fields& fields) {
  const std::uint32_t index = KeyRequest(fields).local_index;
  Peer* peer = state_.key_owner(index);
  if (peer == nullptr) throw RequestError("unknown-key", "there is no key " + std::to_string(index));
  peer->remove_session(index);
  if (peer->sessions().empty()) peer->path().set_ready(false, monotonic_now());
  dirty_ = true;
  return Json::object();
}

Json Forwarder::set_stream(const Fields& fields, std::vector<Fd>& fds) {
  Peer& peer = required_peer(fields);
  if (fds.size() != 1) throw RequestError("bad-request", "one descriptor must come with the request");
  auto stream = std::make_shared<Stream>(std::move(fds.front()), peer.id(), ++last_stream_);
  if (!stream->prepare()) throw RequestError("bad-stream", "the descriptor is not a TCP connection");
  if (peer.stream != nullptr) peer.stream->unwatch();
  peer.stream = stream;
  peer.path().set_stream(true, monotonic_now());
  // The worker needs a snapshot that has the stream before the stream wakes it.
  publish();
  workers_[peer.slot() % workers_.size()]->watch(*stream, peer.slot());
  return Json::object();
}

Json Forwarder::remove_stream(const Fields& fields) {
  drop_stream(required_peer(fields));
  return Json::object();
}

Json Forwarder::set_offload(const Fields& fields) {
  const auto [offload, enabled] = OffloadRequest(fields);
  const std::string name(offload_name(offload));
  if (enabled && !offloads_.available(offload))
    throw RequestError("unavailable",
                       "offload '" + name + "' is not available: " + offloads_.reason(offload));
  switches_.set(offload, enabled);
  if (offload == Offload::udp_gro)
    for (const auto& worker : workers_)
      if (!worker->socket().set_gro(enabled)) throw RequestError("unavailable", "the kernel refused UDP_GRO");
  for (const auto& [number, network] : state_.networks)
    if (network.taps != nullptr) apply_tap_offloads(*network.taps);
  log_line(Level::info, "offload " + name + (enabled ? " on" : " off"));
  return Json::object();
}

Json Forwarder::set_storm_limit(const Fields& fields) {
  switches_.storm_limit = StormLimitRequest(fields).limit;
  return Json::object();
}

Json Forwarder::stop() {
  stopping_ = true;
  return Json::object();
}

}  // namespace weft
