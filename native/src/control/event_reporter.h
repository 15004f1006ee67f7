/// Reports to the daemon, and in the log, what happened.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/log.h"
#include "control/desired/desired_state.h"
#include "control/protocol/server.h"
#include "path/kernel/kernel_path.h"
#include "worker/events.h"

namespace weft {

/// Emits the events of docs/forwarder.md, section "Events". It makes no decisions.
class EventReporter {
 public:
  explicit EventReporter(ControlServer& server) noexcept : server_(server) {}

  void peer_up(const Peer& peer);
  void peer_down(const Peer& peer);
  void peer_endpoint(const Peer& peer, bool roamed);
  void peer_source(const Peer& peer);
  void peer_direct(const Peer& peer, bool answers);
  void peer_probed(const Peer& peer, std::uint32_t id, Micros rtt);
  void peer_path_mtu(const Peer& peer);
  void peer_observed(const Peer& peer);
  void peer_transport(const Peer& peer);
  void key_confirmed(const Peer& peer, std::uint32_t local_index);
  void last_key_expired(const Peer& peer);
  void key_expiring(const Peer& peer, std::uint32_t local_index);
  /// `stream_breaks` is called before the path switches to another transport because of the loss,
  /// `stream_lost` after it.
  void stream_breaks(const Peer& peer);
  void stream_lost(const Peer& peer);

  /// `from` and `to` are null for this host, and for a peer that has been removed.
  void mac_moved(std::uint16_t network, const MacAddress& mac, const Peer* from, const Peer* to);
  void mac_seen(const WorkerEvent& event);
  void refused(const WorkerEvent& event);
  void groups(std::uint16_t network, const std::vector<IpAddress>& groups);
  /// `with` is null for this host.
  void loop(std::uint16_t network, const Peer* with, bool muted);
  void loop_over(std::uint16_t network);
  void hail(const Peer& peer, std::uint16_t network, std::uint32_t number);
  void storm(std::uint16_t network, std::uint32_t limit);
  void kernel_path(std::uint16_t network, const Peer& peer, const KernelPath& path);
  void kernel_path_lost(std::uint16_t network, const std::string& name);
  void tap_lost(std::uint16_t network, const std::string& name);
  static void gso_failed();

 private:
  void emit(std::string_view event, Json fields);

  ControlServer& server_;
  RateLimitedLog path_log_;
  RateLimitedLog mac_log_;
  RateLimitedLog loop_log_;
};

}  // namespace weft
