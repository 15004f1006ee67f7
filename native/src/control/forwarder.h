/// The running forwarder: the control thread, and the workers that it controls.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "aead/aead.h"
#include "control/desired/desired_state.h"
#include "control/event_reporter.h"
#include "control/kernel/kernel_paths.h"
#include "control/prober.h"
#include "control/protocol/server.h"
#include "io/epoll.h"
#include "offload/self_test.h"
#include "offload/switches.h"
#include "state/epoch_reclaimer.h"
#include "switch/mac_table.h"
#include "worker/worker.h"

namespace weft {

struct ForwarderOptions {
  std::string control_path;
  std::uint16_t port = 0;
  unsigned workers = 1;
  unsigned udp_ports = 1;  ///< that packets leave from, with `port`
  std::vector<Offload> disabled;
  /// The forwarder whose port and control socket it gets once that has ended; 0: none.
  pid_t predecessor = 0;
};

class Forwarder final : private RequestHandler, private PeerServices, private KernelPathServices {
 public:
  /// Does everything that needs privileges. Throws Failure.
  explicit Forwarder(const ForwarderOptions& options);
  ~Forwarder() override;

  /// Drops the privileges and runs until it is told to stop.
  void run();

 private:
  // Requests (operations.cc).
  Json handle_request(const std::string& op, const Json& request, std::vector<Fd>& fds) override;
  Json hello(const Fields& fields);
  Json set_self(const Fields& fields);
  Json set_tap(const Fields& fields, std::vector<Fd>& fds);
  Json remove_network(const Fields& fields);
  Json set_network_mtu(const Fields& fields);
  Json set_peer(const Fields& fields);
  Peer& required_peer(const Fields& fields);
  Json remove_peer(const Fields& fields);
  Json punch(const Fields& fields);
  Json probe(const Fields& fields);
  [[nodiscard]] std::size_t packet_size(const Peer& peer, std::size_t mtu) const;
  Json set_key(const Fields& fields);
  Json remove_key(const Fields& fields);
  Json set_stream(const Fields& fields, std::vector<Fd>& fds);
  Json remove_stream(const Fields& fields);
  Json set_offload(const Fields& fields);
  Json set_storm_limit(const Fields& fields);
  Json stop();

  // Requests about endpoints and groups on the segments (segment_operations.cc).
  Json set_endpoint(const Fields& fields);
  Json remove_endpoint(const Fields& fields);
  Json clear_endpoints();
  [[nodiscard]] Json endpoint_table() const;
  [[nodiscard]] Json announce(const Fields& fields) const;
  Json hail(const Fields& fields);
  Json set_peer_groups(const Fields& fields);
  [[nodiscard]] Json local_groups() const;

  // Requests about kernel paths, and what they need (kernel/operations.cc).
  Json open_kernel_path(const Fields& fields, std::vector<Fd>& fds);
  Json close_kernel_path(const Fields& fields);
  Json set_kernel_path(const Fields& fields);
  Json remove_kernel_path(const Fields& fields);
  [[nodiscard]] Json kernel_path_states() const;
  Session* opening_session(std::uint32_t local_index) override;
  Session* sealing_session(PeerId peer) override;
  void key_used(Session& session) override;
  void kernel_path_changed(std::uint16_t network, PeerId peer, const KernelPath& path) override;
  void kernel_path_lost(std::uint16_t network, const std::string& name) override;

  // Reports (reports.cc).
  [[nodiscard]] Json dump() const;
  [[nodiscard]] Json mac_table() const;
  [[nodiscard]] Json stats() const;
  [[nodiscard]] Json owner_text(MacOwner owner) const;

  // Implementation of PeerServices.
  ProbeResult send_probe(Peer& peer, const ProbeOrder& order) override;
  void peer_up(Peer& peer) override;
  void peer_down(Peer& peer) override;
  void peer_endpoint(Peer& peer, bool roamed) override;
  void peer_source(Peer& peer) override;
  void peer_direct(Peer& peer, bool answers) override;
  void peer_probed(Peer& peer, std::uint32_t id, Micros rtt) override;
  void peer_path_mtu(Peer& peer) override;
  void peer_observed(Peer& peer) override;
  void peer_transport(Peer& peer) override;
  void peer_ports(Peer& peer) override;

  // Handlers of the workers' events (worker_events.cc).
  void take_events(Worker& worker);
  void on_event(const WorkerEvent& event);
  void on_tap_lost(std::uint16_t number);
  void on_gso_failed();
  void on_group_event(const WorkerEvent& event);
  void on_loop_probe(const WorkerEvent& event);
  void on_hail(const WorkerEvent& event);
  void on_storm(std::uint16_t number);
  void watch_for_loops(Network& network, Micros now);
  void on_stream_lost(Peer& peer, std::uint32_t id);

  void tell_groups(Network& network, Micros now);
  void publish();
  void drop_stream(Peer& peer);
  void detach_taps(Network& network);
  void apply_tap_offloads(const TapQueues& taps);
  [[nodiscard]] Micros tick(Micros now);
  void each_second(Micros now);
  void expire_keys(Peer& peer, Micros now);

  Switches switches_;
  OffloadReport offloads_;
  std::vector<CipherInfo> ciphers_;
  std::string control_path_;
  std::uint16_t port_;
  std::int64_t started_at_;
  MacTable macs_;
  EpochReclaimer snapshots_;
  Epoll epoll_;
  SourcePorts sources_;
  std::vector<std::unique_ptr<Worker>> workers_;
  Counters counters_;  // of the control thread
  Prober prober_;
  KernelPaths kernel_paths_;
  DesiredState state_;
  ControlServer server_;
  EventReporter reporter_;
  Fd signals_;
  bool dirty_ = false;
  bool stopping_ = false;
  bool sandboxed_ = false;
  Micros next_second_ = 0;
  Micros next_sweep_ = 0;  ///< when all paths are polled next, whatever their deadlines
  std::uint32_t last_stream_ = 0;
  std::vector<std::uint32_t> expiring_;  // keys for which `key-expiring` was emitted
};

}  // namespace weft
