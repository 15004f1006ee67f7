/// The addresses that a peer may have, and what came of trying them.
#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "io/endpoint.h"
#include "packet/address/ip_address.h"
#include "path/estimate.h"

namespace weft {

struct Candidate {
  /// Between probes to an address that has not answered: first and last pause.
  static constexpr Micros first_pause = 200 * microseconds_per_millisecond;
  static constexpr Micros last_pause = 2000 * microseconds_per_millisecond;

  explicit Candidate(const Endpoint& address, Micros now) : endpoint(address), next_probe(now) {}

  Endpoint endpoint;
  Micros next_probe;
  Micros pause = first_pause;
  Micros last_probe = 0;  ///< 0: none
  unsigned better = 0;    ///< answers in a row that were clearly faster than the endpoint's
  std::uint64_t probes = 0;
  std::uint64_t answers = 0;
  Micros last_answer = 0;   ///< 0: none
  bool learned = false;     ///< not told, but found to be where packets came from
  IpAddress heard_at;       ///< address of ours that packets from there came to while it did not answer
  IpAddress source;         ///< address of ours from which it answered last; empty: the kernel's choice
  unsigned unanswered = 0;  ///< probes since the last answer
  RoundTrip rtt;

  /// From which the next probe goes. A host of several uplinks may be reached at an address that its routes
  /// would not choose: after some misses that one and the kernel's choice are tried in turn.
  [[nodiscard]] IpAddress next_source(Micros now) const noexcept;
  /// What answered holds for a while, whatever is lost or late.
  [[nodiscard]] bool answered_lately(Micros now) const noexcept;

  void probed(Micros now) noexcept;
  void answered(Micros rtt_of_it, const IpAddress& from, Micros now) noexcept;
};

/// Those of one peer, best first.
class Candidates {
 public:
  /// Replaces those that were told; what was learned, and what is known of those that stay, is kept.
  void set(const std::vector<Endpoint>& endpoints, Micros now);
  /// Adds where the peer was found to be: behind a NAT that may be where nobody could tell. The oldest such
  /// finding goes when there are too many.
  Candidate& learn(const Endpoint& address, Micros now);
  /// All are tried now, and often.
  void hasten(Micros now) noexcept;

  [[nodiscard]] Candidate* find(const Endpoint& endpoint) noexcept;
  [[nodiscard]] std::vector<Candidate>& all() noexcept { return candidates_; }
  [[nodiscard]] const std::vector<Candidate>& all() const noexcept { return candidates_; }

 private:
  std::vector<Candidate> candidates_;
};

}  // namespace weft
