#include "path/candidates.h"

#include <algorithm>

namespace weft {
namespace {

// Where a peer was found to be besides its candidates; the oldest goes.
constexpr std::size_t max_learned = 2;
// Another source is tried only when an address has not answered for so long, and so many probes.
constexpr Micros source_holds = 5 * microseconds_per_second;
constexpr unsigned misses_before_other_source = 2;

}  // namespace

bool Candidate::answered_lately(Micros now) const noexcept {
  return last_answer != 0 && now < last_answer + source_holds;
}

IpAddress Candidate::next_source(Micros now) const noexcept {
  if (answered_lately(now) || unanswered < misses_before_other_source) return source;
  return unanswered % 2 == 0 ? heard_at : IpAddress{};
}

void Candidate::probed(Micros now) noexcept {
  ++probes;
  ++unanswered;
  last_probe = now;
}

void Candidate::answered(Micros rtt_of_it, const IpAddress& from, Micros now) noexcept {
  if (!answered_lately(now)) source = from;
  unanswered = 0;
  ++answers;
  last_answer = now;
  rtt.sample(rtt_of_it);
}

void Candidates::set(const std::vector<Endpoint>& endpoints, Micros now) {
  std::vector<Candidate> next;
  next.reserve(endpoints.size() + max_learned);
  for (const Endpoint& endpoint : endpoints) {
    const Candidate* known = find(endpoint);
    next.push_back(known != nullptr ? *known : Candidate{endpoint, now});
    next.back().learned = false;
  }
  for (const Candidate& known : candidates_)
    if (known.learned && std::find(endpoints.begin(), endpoints.end(), known.endpoint) == endpoints.end())
      next.push_back(known);
  candidates_ = std::move(next);
}

Candidate& Candidates::learn(const Endpoint& address, Micros now) {
  const auto learned = [](const Candidate& candidate) { return candidate.learned; };
  if (std::count_if(candidates_.begin(), candidates_.end(), learned) >= std::ptrdiff_t{max_learned})
    candidates_.erase(std::find_if(candidates_.begin(), candidates_.end(), learned));
  Candidate& candidate = candidates_.emplace_back(address, now);
  candidate.learned = true;
  return candidate;
}

void Candidates::hasten(Micros now) noexcept {
  for (Candidate& candidate : candidates_) {
    candidate.next_probe = now;
    candidate.pause = Candidate::first_pause;
  }
}

Candidate* Candidates::find(const Endpoint& endpoint) noexcept {
  const auto at = std::find_if(candidates_.begin(), candidates_.end(),
                               [&](const Candidate& candidate) { return candidate.endpoint == endpoint; });
  return at == candidates_.end() ? nullptr : &*at;
}

}  // namespace weft
