#include "control/forwarder.h"

#include <sodium.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <ctime>

#include "base/failure.h"
#include "control/text.h"
#include "io/interfaces.h"
#include "io/tap.h"
#include "packet/loop_probe.h"
#include "sandbox/sandbox.h"

namespace weft {
namespace {

// Half-way to the most that setpriority(2) gives: applications that use all CPUs leave the network enough.
constexpr int nice = -10;

constexpr std::uint64_t signal_tag = 1;
constexpr std::uint64_t first_worker_tag = 16;
// Timers are kept to this: a thousand peers then cost a hundred rounds a second at most.
constexpr Micros granularity = 5 * microseconds_per_millisecond;
// A key must be replaced long before its counters are used up.
constexpr std::uint64_t expiring_counter = std::uint64_t{1} << 48;
// Between two reports of a storm that goes on.
constexpr Micros storm_pause = 60 * microseconds_per_second;

std::vector<std::unique_ptr<Worker>> make_workers(const ForwarderOptions& options, SnapshotBoard& board,
                                                  MacTable& macs, Switches& switches) {
  std::vector<std::unique_ptr<Worker>> workers;
  unsigned number = 0;
  for (UdpSocket& socket : bind_udp_group(options.port, options.workers))
    workers.push_back(
        std::make_unique<Worker>(number++, options.workers, std::move(socket), board, macs, switches));
  return workers;
}

Fd take_signals() {
  // Blocked before the workers start, so that they inherit it and the descriptor gets them.
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGTERM);
  ::sigaddset(&set, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  // A log that nobody reads any more must not end the forwarder.
  if (std::signal(SIGPIPE, SIG_IGN) == SIG_ERR) throw Failure::from_errno("cannot ignore SIGPIPE");
  Fd fd(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!fd) throw Failure::from_errno("cannot take signals");
  return fd;
}

}  // namespace

Forwarder::Forwarder(const ForwarderOptions& options)
    : offloads_(test_udp_offloads()),
      ciphers_(cipher_inventory()),
      port_(options.port),
      started_at_(std::time(nullptr)),
      board_(options.workers),
      workers_(make_workers(options, board_, macs_, switches_)),
      prober_(workers_.front()->socket(), options.workers, counters_),
      server_(options.control_path, epoll_, *this),
      signals_(take_signals()) {
  for (const Offload offload : all_offloads)
    switches_.set(offload, offloads_.available(offload));
  for (const Offload offload : options.disabled)
    switches_.set(offload, false);
  switches_.max_segments = offloads_.max_segments();
  for (const auto& worker : workers_)
    if (switches_.on(Offload::udp_gro) && !worker->socket().set_gro(true))
      switches_.set(Offload::udp_gro, false);
  epoll_.add(signals_.get(), EPOLLIN, signal_tag);
  for (std::size_t i = 0; i < workers_.size(); ++i)
    epoll_.add(workers_[i]->events().fd(), EPOLLIN, first_worker_tag + i);
}

Forwarder::~Forwarder() {
  for (const auto& worker : workers_)
    worker->stop();
}

void Forwarder::run() {
  prepare_interface_lookup();
  // What the system refuses stays as it was. Threads that are started later inherit it.
  ::setpriority(PRIO_PROCESS, 0, nice);
  drop_capabilities();
  for (const auto& worker : workers_)
    worker->start();
  sandboxed_ = restrict_syscalls();
  log_line(Level::info, "forwarding on UDP port " + std::to_string(port_) + " with " +
                            std::to_string(workers_.size()) + " workers");
  std::array<epoll_event, 64> space{};
  while (!stopping_) {
    const Micros now = monotonic_now();
    const Micros deadline = tick(now);
    if (dirty_) publish();
    server_.flush();
    const Micros pause = deadline > now ? deadline - now : 0;
    const auto timeout = static_cast<int>(std::max(pause, granularity) / microseconds_per_millisecond);
    for (const epoll_event& event : epoll_.wait(space, timeout)) {
      const std::uint64_t tag = event.data.u64;
      if (tag == signal_tag) {
        stopping_ = true;
      } else if (tag >= first_worker_tag && tag < first_worker_tag + workers_.size()) {
        take_events(*workers_[tag - first_worker_tag]);
      } else {
        server_.on_ready(tag, event.events);
      }
    }
  }
  server_.flush();
  log_line(Level::info, "stopping");
}

// Returns when it wants to be called next.
Micros Forwarder::tick(Micros now) {
  if (now >= next_second_) {
    next_second_ = now + microseconds_per_second;
    each_second(now);
  }
  const bool sweep = now >= next_sweep_;
  if (sweep) next_sweep_ = now + Liveness::busy_keepalive;
  Micros deadline = std::min(next_second_, next_sweep_);
  for (const auto& [id, peer] : state_.peers()) {
    if (sweep || peer->path().deadline() <= now) peer->path().poll(now, peer->sent_packets());
    deadline = std::min(deadline, peer->path().deadline());
  }
  return deadline;
}

void Forwarder::each_second(Micros now) {
  board_.collect();
  macs_.expire(static_cast<std::uint32_t>(now / microseconds_per_second));
  ReassemblyDrops drops;
  for (const auto& [id, peer] : state_.peers()) {
    for (const auto& session : peer->sessions()) {
      session->opening.expire_fragments(now / microseconds_per_millisecond, drops);
      const std::uint32_t index = session->opening.index();
      if (session->sealing.highest_counter() < expiring_counter) continue;
      if (std::find(expiring_.begin(), expiring_.end(), index) != expiring_.end()) continue;
      expiring_.push_back(index);
      emit("key-expiring", {{"peer", peer_text(id)}, {"localIndex", index}});
    }
  }
  counters_.add(Counter::dropped_fragment_timeout, drops.expired);
  for (auto& [number, network] : state_.networks) {
    if (network.taps == nullptr || state_.self == 0) continue;
    watch_for_loops(network, now);
    ask_for_groups(network, now);
    tell_groups(network, now);
  }
}

void Forwarder::on_group_event(const WorkerEvent& event) {
  const auto at = state_.networks.find(event.network);
  if (at == state_.networks.end()) return;
  if (event.kind == WorkerEvent::Kind::group_left)
    ask_for_group(at->second, event.address);
  else
    tell_groups(at->second, monotonic_now());
}

void Forwarder::watch_for_loops(Network& network, Micros now) {
  if (network.loop.over(now)) {
    dirty_ = true;
    loop_log_(Level::info, "network " + std::to_string(network.number) + ": the loop is gone");
    emit("loop-over", {{"network", network.number}});
  }
  if (!network.loop.due(now)) return;
  std::array<std::byte, loop_probe_size> probe;
  encode(LoopProbe{state_.self, network.number}, probe);
  // A TAP that does not take it is one that carries nothing.
  network.taps->any().write_frame(probe);
}

void Forwarder::publish() {
  dirty_ = false;
  board_.publish(state_.snapshot(workers_.front()->socket().family()));
}

void Forwarder::emit(std::string_view event, Json fields) {
  fields["event"] = event;
  server_.broadcast(fields);
}

void Forwarder::detach_taps(Network& network) {
  if (network.taps == nullptr) return;
  for (const auto& worker : workers_)
    worker->unwatch(*network.taps);
  // The queues close when the last snapshot that has them goes.
  network.taps = nullptr;
}

void Forwarder::apply_tap_offloads(const TapQueues& taps) {
  // From the youngest feature to the oldest.
  constexpr std::array offloads{Offload::tap_uso, Offload::tap_tso, Offload::tap_csum};
  const auto wanted = [&](Offload offload) { return switches_.on(offload); };
  const auto accepted = [&] {
    const TapOffloads asked{wanted(Offload::tap_csum), wanted(Offload::tap_tso), wanted(Offload::tap_uso)};
    if (!set_tap_offloads(taps.any().fd(), asked)) return false;
    for (const Offload offload : offloads)
      if (wanted(offload)) offloads_.found(offload, true, "tested");
    return true;
  };
  if (accepted()) return;
  for (const Offload offload : offloads) {
    if (!wanted(offload)) continue;
    switches_.set(offload, false);
    offloads_.unavailable(offload, "the kernel refused it for TAP " + taps.name);
    log_line(Level::warning,
             std::string("offload ") + std::string(offload_name(offload)) + " off: the kernel refused it");
    if (accepted()) return;
  }
}

ProbeResult Forwarder::send_probe(Peer& peer, const ProbeOrder& order) {
  const Peer* relay = peer.via ? state_.find(*peer.via) : nullptr;
  return prober_.send(peer, relay, state_.self, order, monotonic_now());
}

void Forwarder::peer_up(Peer& peer) {
  const Path& path = peer.path();
  dirty_ = true;
  emit("peer-up", {{"peer", peer_text(peer.id())},
                   {"endpoint", path.endpoint() ? Json(path.endpoint()->text()) : Json(nullptr)},
                   {"rtt", path.rtt().smoothed()}});
  path_log_(Level::info, "peer " + peer_text(peer.id()) + " up" +
                             (path.way() == Way::relay ? " through " + peer_text(peer.via.value_or(0))
                              : path.on_stream()       ? " by tcp"
                                                 : " at " + path.endpoint().value_or(Endpoint{}).text()));
}

void Forwarder::peer_down(Peer& peer) {
  const auto& endpoint = peer.path().endpoint();
  emit("peer-down", {{"peer", peer_text(peer.id())},
                     {"endpoint", endpoint ? Json(endpoint->text()) : Json(nullptr)},
                     {"rtt", peer.path().rtt().smoothed()}});
  path_log_(Level::warning, "peer " + peer_text(peer.id()) + " down");
}

void Forwarder::peer_endpoint(Peer& peer, bool roamed) {
  dirty_ = true;
  if (roamed) counters_.add(Counter::roamed);
  const std::string endpoint = peer.path().endpoint().value_or(Endpoint{}).text();
  emit("endpoint",
       {{"peer", peer_text(peer.id())}, {"endpoint", endpoint}, {"reason", roamed ? "roamed" : "probe"}});
  path_log_(Level::info,
            "peer " + peer_text(peer.id()) + (roamed ? " moved to " : " answers at ") + endpoint);
}

void Forwarder::peer_source(Peer& peer) {
  dirty_ = true;
  const IpAddress& source = peer.path().source();
  path_log_(Level::info, "peer " + peer_text(peer.id()) + " answers what is sent from " +
                             (source.empty() ? "the address of the route" : source.text()));
}

void Forwarder::peer_direct(Peer& peer, bool answers) {
  emit("direct", {{"peer", peer_text(peer.id())}, {"answers", answers}});
}

void Forwarder::peer_probed(Peer& peer, std::uint32_t id, Micros rtt) {
  emit("probed", {{"peer", peer_text(peer.id())}, {"id", id}, {"rtt", rtt}});
}

void Forwarder::peer_path_mtu(Peer& peer) {
  dirty_ = true;
  emit("path-mtu", {{"peer", peer_text(peer.id())}, {"pathMtu", peer.path().mtu()}});
  path_log_(Level::info, "peer " + peer_text(peer.id()) + " path MTU " + std::to_string(peer.path().mtu()));
}

void Forwarder::peer_observed(Peer& peer) {
  dirty_ = true;  // whether both ends trust the wire may depend on it
  emit("observed", {{"peer", peer_text(peer.id())}, {"address", peer.path().observed().text()}});
}

void Forwarder::peer_transport(Peer& peer) {
  dirty_ = true;
  const std::string transport = peer.path().on_stream() ? "tcp" : "udp";
  emit("transport", {{"peer", peer_text(peer.id())}, {"transport", transport}});
  path_log_(Level::info, "peer " + peer_text(peer.id()) + " by " + transport);
}

void Forwarder::drop_stream(Peer& peer) {
  if (peer.stream == nullptr) return;
  peer.stream->unwatch();
  peer.path().set_stream(false, monotonic_now());
  peer.stream = nullptr;
  dirty_ = true;
}

void Forwarder::take_events(Worker& worker) {
  worker.events().acknowledge();
  WorkerEvent event;
  while (worker.events().next(event))
    on_event(event);
}

void Forwarder::on_event(const WorkerEvent& event) {
  if (event.kind == WorkerEvent::Kind::mac_moved) return on_mac_moved(event);
  if (event.kind == WorkerEvent::Kind::mac_seen) return on_mac_seen(event);
  if (event.kind == WorkerEvent::Kind::refused) return on_refused(event);
  if (event.kind == WorkerEvent::Kind::tap_lost) return on_tap_lost(event.network);
  if (event.kind == WorkerEvent::Kind::gso_failed) return on_gso_failed();
  if (event.kind == WorkerEvent::Kind::group_left || event.kind == WorkerEvent::Kind::groups_changed)
    return on_group_event(event);
  if (event.kind == WorkerEvent::Kind::loop_probe) return on_loop_probe(event.network, event.peer);
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
    emit("key-confirmed", {{"peer", peer_text(peer->id())}, {"localIndex", event.id}});
  }
}

// A router of another mesh may be on the same wire: that is no loop, for no tunnel joins us.
void Forwarder::on_loop_probe(std::uint16_t number, PeerId from) {
  const auto at = state_.networks.find(number);
  const Peer* peer = state_.find(from);
  const bool ours = from == state_.self || (peer != nullptr && peer->networks.contains(number));
  if (at == state_.networks.end() || !ours) return;
  LoopGuard& loop = at->second.loop;
  if (!loop.heard(state_.self, from, monotonic_now())) return;
  dirty_ = true;
  loop_log_(Level::warning, "network " + std::to_string(number) + ": there is a way beside the tunnel " +
                                (peer == nullptr ? "back to this host" : "to " + peer_text(from)) +
                                (loop.muted() ? ": what goes to everybody is stopped here" : ""));
  emit("loop", {{"network", number},
                {"peer", peer == nullptr ? Json(nullptr) : Json(peer_text(from))},
                {"muted", loop.muted()}});
}

void Forwarder::on_storm(std::uint16_t number) {
  const auto at = state_.networks.find(number);
  const Micros now = monotonic_now();
  if (at == state_.networks.end() || now < at->second.next_storm_report) return;
  at->second.next_storm_report = now + storm_pause;
  const std::uint32_t limit = switches_.storm_limit;
  log_line(Level::warning, "network " + std::to_string(number) + ": more than " + std::to_string(limit) +
                               " frames a second go to everybody, the rest is dropped");
  emit("storm", {{"network", number}, {"limit", limit}});
}

void Forwarder::on_stream_lost(Peer& peer, std::uint32_t id) {
  // The peer may have a new one by now.
  if (peer.stream == nullptr || peer.stream->id() != id) return;
  path_log_(Level::warning, "peer " + peer_text(peer.id()) + ": the TCP connection is lost");
  drop_stream(peer);
  emit("stream-lost", {{"peer", peer_text(peer.id())}});
}

void Forwarder::on_mac_moved(const WorkerEvent& event) {
  const Json from = owner_text(event.from);
  const Json to = owner_text(event.to);
  const std::string mac = mac_text(event.mac);
  mac_log_(Level::info, "network " + std::to_string(event.network) + ": " + mac + " moved from " +
                            from.dump() + " to " + to.dump());
  emit("mac-moved", {{"network", event.network}, {"mac", mac}, {"from", from}, {"to", to}});
}

void Forwarder::on_mac_seen(const WorkerEvent& event) {
  const bool more = event.mac == MacAddress{};
  emit("mac-seen", {{"network", event.network}, {"mac", more ? Json(nullptr) : Json(mac_text(event.mac))}});
}

void Forwarder::on_refused(const WorkerEvent& event) {
  const bool itself = event.address == IpAddress();
  emit("refused", {{"network", event.network},
                   {"mac", mac_text(event.mac)},
                   {"address", itself ? Json(nullptr) : Json(event.address.text())}});
}

void Forwarder::on_tap_lost(std::uint16_t number) {
  const auto at = state_.networks.find(number);
  if (at == state_.networks.end() || at->second.taps == nullptr) return;
  log_line(Level::warning,
           "network " + std::to_string(number) + ": TAP " + at->second.taps->name + " was deleted");
  detach_taps(at->second);
  dirty_ = true;
  emit("tap-lost", {{"network", number}});
}

void Forwarder::on_gso_failed() {
  offloads_.unavailable(Offload::udp_gso, "the way out of this host refused UDP_SEGMENT");
  log_line(Level::warning, "offload udp-gso off: the way out of this host refused it");
}

}  // namespace weft
