#include <algorithm>

#include "path/path.h"

// Which of a peer's candidates is the endpoint.
namespace weft {
namespace {

// A candidate wins over a working endpoint that is preferred when it was clearly faster several times in a
// row.
constexpr unsigned better_needed = 3;
constexpr Micros better_by = 1000;

bool clearly_faster(Micros rtt, Micros than) {
  return rtt + better_by < than && rtt * 10 < than * 7;
}

}  // namespace

// The endpoint itself answers; what the relay does says nothing about it.
bool Path::working(Micros now) const noexcept {
  if (!endpoint_) return false;
  return transport_.detour() ? transport_.answered_lately(now) : up() && !liveness_.failing(now);
}

// Other addresses were asked as soon as the endpoint was late: whichever answered since is better.
void Path::leave_failing(Micros now) {
  if (transport_.detour() || !up() || !liveness_.failing(now)) return;
  const auto answers = [&](const Candidate& candidate) {
    return candidate.endpoint != endpoint_ && candidate.last_answer > liveness_.waiting_since();
  };
  const auto& all = candidates_.all();
  const auto at = std::find_if(all.begin(), all.end(), answers);
  if (at != all.end()) adopt(at->endpoint, false, now);
}

// An address answered: is it the one to use from now on?
void Path::consider(const Outstanding& probe, Micros rtt, Micros now) {
  const Endpoint& address = probe.to;
  Candidate* const candidate = candidates_.find(address);
  if (candidate != nullptr) candidate->answered(rtt, probe.from, now);
  if (candidate != nullptr && address == endpoint_) leave_from(candidate->source, now);
  if (transport_.detour()) return consider_direct(address, now);
  if (!working(now)) {
    if (address != endpoint_) adopt(address, false, now);
    return;
  }
  if (candidate != nullptr && address != endpoint_ && liveness_.rtt().known()) compare(*candidate, rtt, now);
}

// On a detour: one answer may be luck, and going back and forth costs more than staying a moment.
void Path::consider_direct(const Endpoint& address, Micros now) {
  if (address != endpoint_ || !working(now)) {
    if (working(now)) return;
    if (address != endpoint_) adopt(address, false, now);
    transport_.restart_row();
  }
  if (transport_.direct()) {
    transport_.answered(now);
    return;
  }
  if (!transport_.answered(now)) {
    Candidate* const candidate = candidates_.find(address);
    if (candidate != nullptr) {
      candidate->next_probe = now + Candidate::first_pause;
      deadline_ = std::min(deadline_, candidate->next_probe);
    }
    return;
  }
  observer_.direct_changed(true);
  choose_way(now);
}

// Candidates come best first: the containers' MTU, for one, is made for the first. It loses only to a
// clearly faster one. What seemed slow once is looked at again soon, and what seemed fast is compared with
// the endpoint anew.
void Path::compare(Candidate& candidate, Micros rtt, Micros now) {
  const RoundTrip& used_rtt = liveness_.rtt();
  const Candidate* used = candidates_.find(*endpoint_);
  if (used != nullptr && &candidate < used) {
    if (!clearly_faster(std::max(used_rtt.smoothed(), used_rtt.last()), rtt))
      return adopt(candidate.endpoint, false, now);
    candidate.next_probe = std::min(candidate.next_probe, now + candidate.pause);
    deadline_ = std::min(deadline_, candidate.next_probe);
    return;
  }
  const bool faster = clearly_faster(rtt, std::min(used_rtt.smoothed(), used_rtt.last()));
  candidate.better = faster ? candidate.better + 1 : 0;
  if (candidate.better >= better_needed) return adopt(candidate.endpoint, false, now);
  if (faster) {
    candidate.next_probe = now + Candidate::first_pause;
    liveness_.bring_forward(candidate.next_probe);
  }
  deadline_ = std::min({deadline_, candidate.next_probe, liveness_.deadline()});
}

void Path::leave_from(const IpAddress& source, Micros now) {
  if (source == source_) return;
  source_ = source;
  if (up() && !transport_.detour()) restart(now);
  observer_.source_changed();
}

void Path::adopt(const Endpoint& endpoint, bool roamed, Micros now) {
  endpoint_ = endpoint;
  const Candidate* const candidate = candidates_.find(endpoint);
  source_ = candidate != nullptr ? candidate->source : IpAddress{};
  seen_at_endpoint_ = Endpoint{};
  for (Candidate& other : candidates_.all())
    other.better = 0;
  if (!transport_.detour()) {
    liveness_.reset(now);
    deadline_ = now;
    if (up()) restart(now);
  }
  observer_.endpoint_changed(roamed);
}

void Path::on_source(const Endpoint& from, const IpAddress& heard_at, bool probe, Micros now) {
  Candidate* const known = candidates_.find(from);
  if (known != nullptr && !working(now)) known->heard_at = heard_at;
  if (endpoint_ == from) return;
  if (working(now) && (probe || transport_.detour())) return;
  if (known != nullptr && endpoint_) {
    // The peer probes all addresses, and may have chosen another than we. That it reaches us from there does
    // not mean that we reach it: the answer decides.
    if (!working(now)) {
      known->next_probe =
          std::min(known->next_probe, std::max(now, known->last_probe + Liveness::recheck_pause));
      deadline_ = std::min(deadline_, known->next_probe);
    }
    return;
  }
  if (known == nullptr) candidates_.learn(from, now).heard_at = heard_at;
  adopt(from, true, now);
}

}  // namespace weft
