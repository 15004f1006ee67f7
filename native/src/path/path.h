/// How a peer is reached. Joins what the other files of this folder know of: the addresses that it may have
/// (candidates), whether it answers (liveness), by which way (transport), how much fits (path_mtu),
/// and from which ports (port_spread).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "io/endpoint.h"
#include "packet/address/ip_address.h"
#include "path/candidates.h"
#include "path/liveness.h"
#include "path/path_mtu.h"
#include "path/port_spread.h"
#include "path/transport.h"

namespace weft {

/// A probe to send.
struct ProbeOrder {
  Way way = Way::direct;
  Endpoint to;     ///< over UDP
  IpAddress from;  ///< of ours; empty: the kernel chooses by its routes
  std::uint32_t id = 0;
  std::size_t packet_size = 0;  ///< pad to an outer IP packet of that size; 0: as small as can be
  unsigned port = 0;            ///< source port (io/source_ports.h)
};

enum class ProbeResult : std::uint8_t { sent, too_big, failed };

/// What a path tells and asks. Called from within `Path`'s functions; must not call back.
class PathObserver {
 public:
  virtual ~PathObserver() = default;
  virtual ProbeResult send_probe(const ProbeOrder& order) = 0;
  virtual void path_up() = 0;
  virtual void path_down() = 0;
  virtual void endpoint_changed(bool roamed) = 0;
  /// Packets leave from another address of ours.
  virtual void source_changed() = 0;
  /// Packets leave by another way from now on.
  virtual void transport_changed() = 0;
  /// While packets take another way: the peer answers over UDP, too, or does so no longer.
  virtual void direct_changed(bool answers) = 0;
  /// A probe that somebody asked for was answered.
  virtual void probe_answered(std::uint32_t id, Micros rtt) = 0;
  virtual void path_mtu_changed() = 0;
  virtual void observed_changed() = 0;
  /// Packets get through from other source ports than before.
  virtual void ports_changed() = 0;
};

/// Pure state machine of one peer's path: time and what happened come in, probes and news go out through the
/// observer.
class Path {
 public:
  /// `ports` is the number of source ports, with the router's own.
  Path(PathObserver& observer, std::uint32_t first_id, unsigned ports)
      : observer_(observer), next_id_(first_id), spread_(ports) {}

  void set_candidates(const std::vector<Endpoint>& candidates, Micros now);
  void set_keepalive(Micros keepalive) noexcept { liveness_.set_keepalive(keepalive); }
  /// Through a relay or not; `relay_changed`: through another one than before.
  void set_relayed(bool relayed, bool relay_changed, Micros now);
  /// There is a TCP stream to the peer, or none any more. It carries everything while no address answers.
  void set_stream(bool there, Micros now);
  /// Without a key nothing can be probed. Becoming ready, or a new key, probes at once.
  void set_ready(bool ready, Micros now);
  /// Probes all addresses now and often: the peer does the same at this moment.
  void punch(Micros now);
  /// Sends a probe the way that packets go now, padded to an outer IP packet of `packet_size` (0: as small as
  /// can be); `probe_answered` tells the answer. Returns its id.
  std::uint32_t ask(std::size_t packet_size, Micros now);

  /// Does what is due. `sent` is a count of packets sent to the peer that only grows: called every
  /// `Liveness::busy_keepalive`, too, it sees in time that traffic began.
  void poll(Micros now, std::uint64_t sent);
  /// When `poll` wants to be called at the latest.
  [[nodiscard]] Micros deadline() const noexcept { return deadline_; }

  /// A reply came in, received at `now`. `seen` is our own address as the peer saw it, empty if relayed.
  void on_reply(std::uint32_t id, const Endpoint& seen, Micros now);
  /// An authenticated packet, the newest of its lane, came directly from an address that is not `endpoint()`,
  /// or does not answer. It was sent to `heard_at`, one of ours.
  void on_source(const Endpoint& from, const IpAddress& heard_at, bool probe, Micros now);
  /// The kernel refused a packet of that size (outer IP packet).
  void on_too_big(std::size_t packet_size, Micros now);

  [[nodiscard]] bool up() const noexcept { return liveness_.up(); }
  /// The way that packets take now.
  [[nodiscard]] Way way() const noexcept { return transport_.way(); }
  [[nodiscard]] bool on_stream() const noexcept { return way() == Way::stream; }
  /// In use for direct packets.
  [[nodiscard]] const std::optional<Endpoint>& endpoint() const noexcept { return endpoint_; }
  /// Address of ours from which packets go there; empty: the kernel chooses.
  [[nodiscard]] const IpAddress& source() const noexcept { return source_; }
  /// The peer answers over UDP, whatever packets take now.
  [[nodiscard]] bool direct() const noexcept { return transport_.detour() ? transport_.direct() : up(); }
  [[nodiscard]] const std::vector<Candidate>& candidates() const noexcept { return candidates_.all(); }
  [[nodiscard]] const RoundTrip& rtt() const noexcept { return liveness_.rtt(); }
  [[nodiscard]] double loss() const noexcept { return liveness_.loss(); }
  /// Largest outer IP packet that is known to pass; on a stream, which has no packets, as large as can be.
  [[nodiscard]] std::size_t mtu() const noexcept { return on_stream() ? PathMtu::ceiling : mtu_.current(); }
  /// The further source ports, and which of them get through.
  [[nodiscard]] const PortSpread& spread() const noexcept { return spread_; }
  /// Our own address as the peer sees it, the one that changed last: there may be one of IPv4 and one of
  /// IPv6.
  [[nodiscard]] const Endpoint& observed() const noexcept { return last_observed_; }
  /// Our own address as the peer sees it at `endpoint()`; empty until a probe was answered there.
  [[nodiscard]] const Endpoint& seen_at_endpoint() const noexcept { return seen_at_endpoint_; }

 private:
  enum class Purpose : std::uint8_t { keepalive, recheck, candidate, mtu, asked };
  struct Outstanding {
    std::uint32_t id;
    Purpose purpose;
    Way way;
    bool counted;  // as lost already
    Endpoint to;
    IpAddress from;
    std::size_t packet_size;
    Micros sent;
  };

  [[nodiscard]] bool has_target() const noexcept { return transport_.detour() || endpoint_.has_value(); }
  [[nodiscard]] bool uses(const Outstanding& probe) const noexcept;
  ProbeResult send(Purpose purpose, Way way, const Endpoint& to, std::size_t packet_size, Micros now);
  ProbeResult send_along(Purpose purpose, std::size_t packet_size, Micros now);
  void poll_keepalive(Micros now);
  void poll_candidates(Micros now);
  void poll_direct(Micros now);
  void poll_mtu(Micros now);
  void poll_ports(Micros now, std::uint64_t sent);
  void age_outstanding(Micros now);
  void choose_way(Micros now);
  void go_down(Micros now);
  void take(Way way, bool direct, Micros now);
  void renew(Micros now);
  bool notice(const Endpoint& seen) noexcept;
  void answered_by(const Outstanding& probe, Micros rtt, Micros now);
  void restart(Micros now);
  void update_mtu(std::size_t former);

  // Which of the candidates is the endpoint (endpoint_choice.cc).
  [[nodiscard]] bool working(Micros now) const noexcept;
  void leave_failing(Micros now);
  void consider(const Outstanding& probe, Micros rtt, Micros now);
  void consider_direct(const Endpoint& address, Micros now);
  void compare(Candidate& candidate, Micros rtt, Micros now);
  void adopt(const Endpoint& endpoint, bool roamed, Micros now);
  void leave_from(const IpAddress& source, Micros now);

  PathObserver& observer_;
  std::uint32_t next_id_;
  bool ready_ = false;
  Liveness liveness_;
  Transport transport_;
  Candidates candidates_;
  std::optional<Endpoint> endpoint_;
  IpAddress source_;
  std::array<Endpoint, 2> observed_;  // over IPv4, over IPv6
  Endpoint last_observed_;
  Endpoint seen_at_endpoint_;
  PathMtu mtu_;
  PortSpread spread_;
  std::vector<Outstanding> outstanding_;
  Micros deadline_ = ~Micros{0};
};

}  // namespace weft
