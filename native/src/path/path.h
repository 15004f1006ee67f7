/// How a peer is reached: which of its addresses answers, how far it is, how much it carries, whether it is
/// up.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "io/endpoint.h"
#include "path/estimate.h"
#include "path/path_mtu.h"

namespace weft {

/// A probe to send.
struct ProbeOrder {
  std::optional<Endpoint> to;  ///< nothing: through the relay
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
  virtual void path_mtu_changed() = 0;
  virtual void observed_changed() = 0;
};

/// Pure state machine of one peer's path: time and what happened come in, probes and news go out through the
/// observer.
class Path {
 public:
  static constexpr Micros default_keepalive = 1000 * microseconds_per_millisecond;
  /// Between probes to an address that has not answered: first and last pause.
  static constexpr Micros first_pause = 200 * microseconds_per_millisecond;
  static constexpr Micros last_pause = 2000 * microseconds_per_millisecond;
  /// Keepalives without an answer after which a path is down.
  static constexpr unsigned missed_limit = 3;

  Path(PathObserver& observer, std::uint32_t first_id) noexcept : observer_(observer), next_id_(first_id) {}

  void set_candidates(const std::vector<Endpoint>& candidates, Micros now);
  void set_keepalive(Micros keepalive) noexcept { keepalive_ = keepalive; }
  /// Through a relay or not.
  void set_relayed(bool relayed, Micros now);
  /// Without a key nothing can be probed. Becoming ready, or a new key, probes at once.
  void set_ready(bool ready, Micros now);

  /// Does what is due. `sent` is a count of packets sent to the peer that only grows.
  void poll(Micros now, std::uint64_t sent);
  /// When `poll` wants to be called at the latest.
  [[nodiscard]] Micros deadline() const noexcept { return deadline_; }

  /// A reply came in, received at `now`. `seen` is our own address as the peer saw it, empty if relayed.
  void on_reply(std::uint32_t id, const Endpoint& seen, Micros now);
  /// An authenticated packet, the newest of its lane, came directly from an address that is not `endpoint()`.
  void on_source(const Endpoint& from, bool probe, Micros now);
  /// The kernel refused a packet of that size (outer IP packet).
  void on_too_big(std::size_t packet_size, Micros now);

  [[nodiscard]] bool up() const noexcept { return up_; }
  [[nodiscard]] bool relayed() const noexcept { return relayed_; }
  /// In use for direct packets.
  [[nodiscard]] const std::optional<Endpoint>& endpoint() const noexcept { return endpoint_; }
  [[nodiscard]] const RoundTrip& rtt() const noexcept { return rtt_; }
  [[nodiscard]] double loss() const noexcept { return loss_.share(); }
  /// Largest outer IP packet that is known to pass.
  [[nodiscard]] std::size_t mtu() const noexcept { return mtu_.current(); }
  [[nodiscard]] const Endpoint& observed() const noexcept { return observed_; }

 private:
  enum class Purpose : std::uint8_t { keepalive, candidate, mtu };
  struct Candidate {
    Endpoint endpoint;
    Micros next_probe = 0;
    Micros pause = first_pause;
    unsigned better = 0;  // answers in a row that were clearly faster than the endpoint's
  };
  struct Outstanding {
    std::uint32_t id;
    Purpose purpose;
    bool relayed;
    bool counted;  // as lost already
    Endpoint to;
    std::size_t packet_size;
    Micros sent;
  };

  [[nodiscard]] bool has_target() const noexcept { return relayed_ || endpoint_.has_value(); }
  [[nodiscard]] bool suspicious(Micros now) const noexcept;
  [[nodiscard]] bool working(Micros now) const noexcept;
  [[nodiscard]] Micros answer_timeout() const noexcept;
  ProbeResult send(Purpose purpose, const std::optional<Endpoint>& to, std::size_t packet_size, Micros now);
  void poll_keepalive(Micros now);
  void poll_candidates(Micros now);
  void poll_mtu(Micros now, std::uint64_t sent);
  void age_outstanding(Micros now);
  void answered_by(const Outstanding& probe, Micros rtt, Micros now);
  void consider(const Endpoint& candidate, Micros rtt, Micros now);
  void alive(Micros rtt, const Outstanding& probe);
  void adopt(const Endpoint& endpoint, bool roamed, Micros now);
  void hasten_candidates(Micros now);
  Candidate* find(const Endpoint& endpoint) noexcept;
  void update_mtu(std::size_t former);

  PathObserver& observer_;
  std::uint32_t next_id_;
  Micros keepalive_ = default_keepalive;
  bool ready_ = false;
  bool relayed_ = false;
  bool up_ = false;
  std::vector<Candidate> candidates_;
  std::optional<Endpoint> endpoint_;
  Endpoint observed_;
  RoundTrip rtt_;
  Loss loss_;
  PathMtu mtu_;
  std::vector<Outstanding> outstanding_;
  Micros next_keepalive_ = 0;
  Micros unanswered_since_ = 0;   // 0: the last keepalive was answered, or none was sent
  Micros endpoint_answered_ = 0;  // last direct answer of the endpoint; 0: none on this path
  std::uint64_t last_sent_ = 0;
  Micros deadline_ = ~Micros{0};
};

}  // namespace weft
