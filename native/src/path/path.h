/// How a peer is reached: which of its addresses answers, how far it is, how much it carries, whether it is
/// up.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "io/endpoint.h"
#include "packet/ip_address.h"
#include "path/estimate.h"
#include "path/path_mtu.h"

namespace weft {

/// How packets reach a peer.
enum class Way : std::uint8_t {
  direct,  ///< datagrams straight to one of its addresses
  relay,   ///< datagrams to another peer, which passes them on
  stream,  ///< a TCP connection with it
};

/// A probe to send.
struct ProbeOrder {
  Way way = Way::direct;
  Endpoint to;     ///< over UDP
  IpAddress from;  ///< of ours; empty: the kernel chooses by its routes
  std::uint32_t id = 0;
  std::size_t packet_size = 0;  ///< pad to an outer IP packet of that size; 0: as small as can be
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
};

/// An address that the peer may have, and what came of trying it.
struct Candidate {
  explicit Candidate(const Endpoint& address, Micros now) : endpoint(address), next_probe(now) {}

  Endpoint endpoint;
  Micros next_probe;
  Micros pause = Micros{200} * microseconds_per_millisecond;
  Micros last_probe = 0;  ///< 0: none
  unsigned better = 0;    ///< answers in a row that were clearly faster than the endpoint's
  std::uint64_t probes = 0;
  std::uint64_t answers = 0;
  Micros last_answer = 0;  ///< 0: none
  bool learned = false;    ///< not told, but found to be where packets came from
  IpAddress heard_at;      ///< address of ours that packets from there came to while it did not answer
  IpAddress source;        ///< address of ours from which it answered last; empty: the kernel's choice
  unsigned unanswered = 0;  ///< probes since the last answer
  RoundTrip rtt;

  /// From which the next probe goes. A host of several uplinks may be reached at an address that its routes
  /// would not choose: after some misses that one and the kernel's choice are tried in turn.
  [[nodiscard]] IpAddress next_source(Micros now) const noexcept;
  /// What answered holds for a while, whatever is lost or late.
  [[nodiscard]] bool answered_lately(Micros now) const noexcept;
};

/// Pure state machine of one peer's path: time and what happened come in, probes and news go out through the
/// observer.
///
/// The daemon decides about relays; between UDP and a stream the path decides: UDP as long as it answers.
class Path {
 public:
  static constexpr Micros default_keepalive = 1000 * microseconds_per_millisecond;
  /// Between probes while packets are sent: what was cut under traffic is to be noticed in half a second.
  static constexpr Micros busy_keepalive = 200 * microseconds_per_millisecond;
  /// Between probes once an answer is overdue.
  static constexpr Micros recheck_pause = 50 * microseconds_per_millisecond;
  /// So many probes go unanswered, for so long at least, before a path is down.
  static constexpr unsigned missed_limit = 8;
  static constexpr Micros min_patience = 400 * microseconds_per_millisecond;
  /// So many go unanswered before another address that answers is taken instead: one is lost now and then.
  static constexpr unsigned misses_before_change = 4;
  /// Between probes to an address that has not answered: first and last pause.
  static constexpr Micros first_pause = 200 * microseconds_per_millisecond;
  static constexpr Micros last_pause = 2000 * microseconds_per_millisecond;
  /// Answers in a row that make UDP worth returning to.
  static constexpr unsigned answers_needed = 3;

  Path(PathObserver& observer, std::uint32_t first_id) noexcept : observer_(observer), next_id_(first_id) {}

  void set_candidates(const std::vector<Endpoint>& candidates, Micros now);
  void set_keepalive(Micros keepalive) noexcept { keepalive_ = keepalive; }
  /// Through a relay or not; `relay_changed`: through another one than before.
  void set_relayed(bool relayed, bool relay_changed, Micros now);
  /// There is a TCP stream to the peer, or none any more. It carries everything while no address answers.
  void set_stream(bool there, Micros now);
  /// Without a key nothing can be probed. Becoming ready, or a new key, probes at once.
  void set_ready(bool ready, Micros now);
  /// Probes all addresses now and often: the peer does the same at this moment.
  void punch(Micros now);
  /// Sends a probe the way that packets go now; `probe_answered` tells the answer. Returns its id.
  std::uint32_t ask(Micros now);

  /// Does what is due. `sent` is a count of packets sent to the peer that only grows: called every
  /// `busy_keepalive`, too, it sees in time that traffic began.
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

  [[nodiscard]] bool up() const noexcept { return up_; }
  /// The way that packets take now.
  [[nodiscard]] Way way() const noexcept { return way_; }
  [[nodiscard]] bool on_stream() const noexcept { return way_ == Way::stream; }
  /// In use for direct packets.
  [[nodiscard]] const std::optional<Endpoint>& endpoint() const noexcept { return endpoint_; }
  /// Address of ours from which packets go there; empty: the kernel chooses.
  [[nodiscard]] const IpAddress& source() const noexcept { return source_; }
  /// The peer answers over UDP, whatever packets take now.
  [[nodiscard]] bool direct() const noexcept { return way_ == Way::direct ? up_ : direct_; }
  [[nodiscard]] const std::vector<Candidate>& candidates() const noexcept { return candidates_; }
  [[nodiscard]] const RoundTrip& rtt() const noexcept { return rtt_; }
  [[nodiscard]] double loss() const noexcept { return loss_.share(); }
  /// Largest outer IP packet that is known to pass; on a stream, which has no packets, as large as can be.
  [[nodiscard]] std::size_t mtu() const noexcept { return on_stream() ? PathMtu::ceiling : mtu_.current(); }
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

  [[nodiscard]] bool has_target() const noexcept { return way_ != Way::direct || endpoint_.has_value(); }
  [[nodiscard]] bool uses(const Outstanding& probe) const noexcept;
  [[nodiscard]] bool suspicious(Micros now) const noexcept;
  [[nodiscard]] bool failing(Micros now) const noexcept;
  [[nodiscard]] bool working(Micros now) const noexcept;
  [[nodiscard]] Micros answer_timeout() const noexcept;
  [[nodiscard]] Micros overdue() const noexcept;
  [[nodiscard]] Micros patience() const noexcept;
  [[nodiscard]] Micros keepalive_pause(Micros now) const noexcept;
  ProbeResult send(Purpose purpose, Way way, const Endpoint& to, std::size_t packet_size, Micros now);
  ProbeResult send_along(Purpose purpose, std::size_t packet_size, Micros now);
  void poll_keepalive(Micros now);
  void poll_candidates(Micros now);
  void leave_failing(Micros now);
  void poll_direct(Micros now);
  void poll_mtu(Micros now);
  void age_outstanding(Micros now);
  void choose_way(Micros now);
  void go_down(Micros now);
  void take(Way way, bool direct, Micros now);
  void renew(Micros now);
  bool notice(const Endpoint& seen) noexcept;
  void answered_by(const Outstanding& probe, Micros rtt, Micros now);
  void consider(const Outstanding& probe, Micros rtt, Micros now);
  void consider_direct(const Endpoint& address, Micros now);
  void compare(Candidate& candidate, Micros rtt, Micros now);
  void alive(Micros rtt, const Outstanding& probe);
  void adopt(const Endpoint& endpoint, bool roamed, Micros now);
  void leave_from(const IpAddress& source, Micros now);
  Candidate& learn(const Endpoint& address, Micros now);
  void hasten_candidates(Micros now);
  void restart_mtu(Micros now);
  Candidate* find(const Endpoint& endpoint) noexcept;
  void update_mtu(std::size_t former);

  PathObserver& observer_;
  std::uint32_t next_id_;
  Micros keepalive_ = default_keepalive;
  bool ready_ = false;
  bool relayed_ = false;  // wanted
  bool stream_ = false;   // there is one
  Way way_ = Way::direct;
  bool up_ = false;
  std::vector<Candidate> candidates_;
  std::optional<Endpoint> endpoint_;
  IpAddress source_;
  std::array<Endpoint, 2> observed_;  // over IPv4, over IPv6
  Endpoint last_observed_;
  Endpoint seen_at_endpoint_;
  RoundTrip rtt_;
  Loss loss_;
  PathMtu mtu_;
  std::vector<Outstanding> outstanding_;
  Micros keepalive_at_ = 0;
  Micros last_keepalive_ = 0;
  Micros busy_until_ = 0;
  Micros unanswered_since_ = 0;  // 0: the last keepalive was answered, or none was sent
  unsigned unanswered_ = 0;      // probes since then
  // While packets do not take UDP:
  bool direct_ = false;           // the endpoint answers
  unsigned direct_answers_ = 0;   // in a row
  Micros endpoint_answered_ = 0;  // the last of them
  Micros direct_row_since_ = 0;   // the first of them
  std::uint64_t last_sent_ = 0;
  Micros deadline_ = ~Micros{0};
};

}  // namespace weft
