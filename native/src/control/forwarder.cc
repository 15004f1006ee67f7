#include "control/forwarder.h"

#include <sodium.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <ctime>
#include <filesystem>

#include "base/failure.h"
#include "base/log.h"
#include "io/device/interfaces.h"
#include "io/device/tap.h"
#include "packet/messages/loop_probe.h"
#include "process/succession.h"
#include "sandbox/sandbox.h"

namespace weft {
namespace {

// This is half of the highest priority that setpriority(2) gives, so that the network still gets CPU time
// when applications use all CPUs.
constexpr int nice = -10;

constexpr std::uint64_t signal_tag = 1;
constexpr std::uint64_t first_worker_tag = 16;
// One for each network. The control socket's tags are greater.
constexpr std::uint64_t first_kernel_path_tag = 1 << 16;
// Timers are rounded to this granularity, so that even a thousand peers cause at most two hundred wake-ups a
// second.
constexpr Micros granularity = 5 * microseconds_per_millisecond;
// A key must be replaced long before its counters run out.
constexpr std::uint64_t expiring_counter = std::uint64_t{1} << 48;

std::vector<std::unique_ptr<Worker>> make_workers(const ForwarderOptions& options, const SourcePorts& sources,
                                                  EpochReclaimer& snapshots, MacTable& macs,
                                                  Switches& switches) {
  if (options.predecessor != 0) succeed(options.predecessor);
  std::vector<std::unique_ptr<Worker>> workers;
  unsigned number = 0;
  for (UdpSocket& socket : bind_udp_group(options.port, options.workers))
    workers.push_back(std::make_unique<Worker>(number++, options.workers, std::move(socket), sources,
                                               snapshots, macs, switches));
  return workers;
}

Fd take_signals() {
  // The signals are blocked before the workers start, so that the workers inherit the mask and the signals
  // arrive at the descriptor.
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGTERM);
  ::sigaddset(&set, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  // Writing to a log whose reader has gone must not end the forwarder.
  if (std::signal(SIGPIPE, SIG_IGN) == SIG_ERR) throw Failure::from_errno("cannot ignore SIGPIPE");
  Fd fd(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!fd) throw Failure::from_errno("cannot take signals");
  return fd;
}

}  // namespace

Forwarder::Forwarder(const ForwarderOptions& options)
    : offloads_(test_udp_offloads()),
      ciphers_(cipher_inventory()),
      control_path_(options.control_path),
      port_(options.port),
      started_at_(std::time(nullptr)),
      snapshots_(options.workers),
      sources_(options.udp_ports, options.workers),
      workers_(make_workers(options, sources_, snapshots_, macs_, switches_)),
      prober_(workers_.front()->socket(), sources_, options.workers, counters_),
      kernel_paths_(epoll_, first_kernel_path_tag, options.workers + 1, counters_, *this),
      server_(options.control_path, epoll_, *this),
      reporter_(server_),
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
  // If the system refuses, the priority stays as it was. Threads started later inherit it.
  ::setpriority(PRIO_PROCESS, 0, nice);
  const std::string kept = drop_privileges(std::filesystem::absolute(control_path_).parent_path());
  if (!kept.empty()) log_line(Level::warning, "the sandbox is incomplete: " + kept);
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
      } else if (tag >= first_kernel_path_tag && tag <= first_kernel_path_tag + UINT16_MAX) {
        kernel_paths_.on_ready(static_cast<std::uint16_t>(tag - first_kernel_path_tag), monotonic_now());
      } else {
        server_.on_ready(tag, event.events);
      }
    }
  }
  server_.flush();
  log_line(Level::info, "stopping");
}

// Returns the time at which `tick` must be called again.
Micros Forwarder::tick(Micros now) {
  if (now >= next_second_) {
    next_second_ = now + microseconds_per_second;
    each_second(now);
  }
  const bool sweep = now >= next_sweep_;
  if (sweep) next_sweep_ = now + Liveness::busy_keepalive;
  Micros deadline = std::min({next_second_, next_sweep_, kernel_paths_.poll(now)});
  for (const auto& [id, peer] : state_.peers()) {
    if (sweep || peer->path().deadline() <= now) peer->path().poll(now, peer->sent_packets());
    deadline = std::min(deadline, peer->path().deadline());
  }
  return deadline;
}

void Forwarder::each_second(Micros now) {
  snapshots_.collect();
  macs_.expire(static_cast<std::uint32_t>(now / microseconds_per_second));
  ReassemblyDrops drops;
  for (const auto& [id, peer] : state_.peers()) {
    expire_keys(*peer, now);
    for (const auto& session : peer->sessions()) {
      session->opening.expire_fragments(now / microseconds_per_millisecond, drops);
      const std::uint32_t index = session->opening.index();
      if (session->sealing.highest_counter() < expiring_counter) continue;
      if (std::find(expiring_.begin(), expiring_.end(), index) != expiring_.end()) continue;
      expiring_.push_back(index);
      reporter_.key_expiring(*peer, index);
    }
  }
  counters_.add(Counter::dropped_fragment_timeout, drops.expired);
  for (auto& [number, network] : state_.networks) {
    if (network.taps == nullptr || state_.self == 0) continue;
    watch_for_loops(network, now);
    network.querier.poll(state_.self, *network.taps, now);
    tell_groups(network, now);
  }
}

// The daemon renews keys and removes the old ones; this holds while there is no daemon, or one that fails to.
void Forwarder::expire_keys(Peer& peer, Micros now) {
  if (!peer.expire_sessions(now)) return;
  dirty_ = true;
  // Its path goes down by itself: without a key no probe leaves.
  if (peer.sessions().empty()) reporter_.last_key_expired(peer);
}

void Forwarder::tell_groups(Network& network, Micros now) {
  if (network.querier.changed(*network.groups, now))
    reporter_.groups(network.number, *network.querier.told());
}

void Forwarder::watch_for_loops(Network& network, Micros now) {
  if (network.loop.over(now)) {
    dirty_ = true;
    reporter_.loop_over(network.number);
  }
  if (!network.loop.due(now)) return;
  LoopProbe probe{state_.self, network.number, {}};
  ::randombytes_buf(probe.number.data(), probe.number.size());
  network.loop.sent(probe.number, now);
  std::array<std::byte, loop_probe_size> frame;
  encode(probe, frame);
  // A failed write is ignored: a TAP that does not take the probe carries no frames that could loop.
  [[maybe_unused]] const bool written = network.taps->any().write_frame(frame);
}

void Forwarder::publish() {
  dirty_ = false;
  snapshots_.publish(state_.snapshot(workers_.front()->socket().family()));
}

void Forwarder::detach_taps(Network& network) {
  if (network.taps == nullptr) return;
  for (const auto& worker : workers_)
    worker->unwatch(*network.taps);
  // The queues close when the last snapshot that refers to them is reclaimed.
  network.taps = nullptr;
}

void Forwarder::apply_tap_offloads(const TapQueues& taps) {
  // The newest kernel feature comes first, because it is the most likely to be refused.
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
  dirty_ = true;
  reporter_.peer_up(peer);
}

void Forwarder::peer_down(Peer& peer) {
  reporter_.peer_down(peer);
}

void Forwarder::peer_endpoint(Peer& peer, bool roamed) {
  dirty_ = true;
  if (roamed) counters_.add(Counter::roamed);
  reporter_.peer_endpoint(peer, roamed);
}

void Forwarder::peer_source(Peer& peer) {
  dirty_ = true;
  reporter_.peer_source(peer);
}

void Forwarder::peer_direct(Peer& peer, bool answers) {
  reporter_.peer_direct(peer, answers);
}

void Forwarder::peer_probed(Peer& peer, std::uint32_t id, Micros rtt) {
  reporter_.peer_probed(peer, id, rtt);
}

void Forwarder::peer_path_mtu(Peer& peer) {
  dirty_ = true;
  reporter_.peer_path_mtu(peer);
}

void Forwarder::peer_observed(Peer& peer) {
  dirty_ = true;  // whether the wire is trusted depends on the observed address
  reporter_.peer_observed(peer);
}

void Forwarder::peer_transport(Peer& peer) {
  dirty_ = true;
  reporter_.peer_transport(peer);
}

void Forwarder::peer_ports(Peer& /*peer*/) {
  dirty_ = true;
}

void Forwarder::drop_stream(Peer& peer) {
  if (peer.stream == nullptr) return;
  peer.stream->unwatch();
  peer.path().set_stream(false, monotonic_now());
  peer.stream = nullptr;
  dirty_ = true;
}

}  // namespace weft
