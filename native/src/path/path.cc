#include "path/path.h"

#include <algorithm>

namespace weft {
namespace {

constexpr Micros never = ~Micros{0};
// Probes remembered; the oldest is forgotten first. Enough for the ladder of sizes and all candidates.
constexpr std::size_t max_outstanding = 128;
constexpr Micros forget_after = 5 * microseconds_per_second;
// While an endpoint works, how often the others are measured.
constexpr Micros comparison_pause = 10 * microseconds_per_second;
// A candidate wins over a working endpoint that is preferred when it was clearly faster several times in a
// row.
constexpr unsigned better_needed = 3;
constexpr Micros better_by = 1000;
constexpr Micros min_answer_timeout = 200 * microseconds_per_millisecond;
constexpr Micros max_answer_timeout = microseconds_per_second;
// Sizes that the local interface refuses at once let the search take several steps in one call.
constexpr int max_search_steps = 32;

bool clearly_faster(Micros rtt, Micros than) {
  return rtt + better_by < than && rtt * 10 < than * 7;
}

}  // namespace

void Path::set_candidates(const std::vector<Endpoint>& candidates, Micros now) {
  std::vector<Candidate> next;
  next.reserve(candidates.size());
  for (const Endpoint& endpoint : candidates) {
    const Candidate* known = find(endpoint);
    next.push_back(known != nullptr ? *known : Candidate{endpoint, now});
  }
  candidates_ = std::move(next);
  deadline_ = now;
}

void Path::set_relayed(bool relayed, Micros now) {
  if (relayed == relayed_) return;
  relayed_ = relayed;
  // Another path: nothing that was measured holds.
  rtt_.reset();
  mtu_.stop();
  unanswered_since_ = 0;
  endpoint_answered_ = 0;
  next_keepalive_ = now;
  hasten_candidates(now);
  if (up_) {
    const std::size_t former = mtu_.current();
    mtu_.start(now);
    update_mtu(former);
  }
  deadline_ = now;
}

void Path::set_ready(bool ready, Micros now) {
  ready_ = ready;
  if (!ready) {
    deadline_ = never;
    return;
  }
  next_keepalive_ = now;
  deadline_ = now;
  hasten_candidates(now);
}

void Path::hasten_candidates(Micros now) {
  for (Candidate& candidate : candidates_) {
    candidate.next_probe = now;
    candidate.pause = first_pause;
  }
}

Path::Candidate* Path::find(const Endpoint& endpoint) noexcept {
  const auto at = std::find_if(candidates_.begin(), candidates_.end(),
                               [&](const Candidate& candidate) { return candidate.endpoint == endpoint; });
  return at == candidates_.end() ? nullptr : &*at;
}

// Long before it is down: other addresses are worth a try.
bool Path::suspicious(Micros now) const noexcept {
  return unanswered_since_ != 0 && now >= unanswered_since_ + keepalive_ + keepalive_ / 2;
}

// The endpoint itself answers; what the relay does says nothing about it.
bool Path::working(Micros now) const noexcept {
  if (!endpoint_) return false;
  if (relayed_) return endpoint_answered_ != 0 && now < endpoint_answered_ + missed_limit * last_pause;
  return up_ && !suspicious(now);
}

Micros Path::answer_timeout() const noexcept {
  if (!rtt_.known()) return min_answer_timeout * 2;
  return std::clamp(2 * rtt_.smoothed() + 4 * rtt_.variance(), min_answer_timeout, max_answer_timeout);
}

ProbeResult Path::send(Purpose purpose, const std::optional<Endpoint>& to, std::size_t packet_size,
                       Micros now) {
  const ProbeOrder order{to, next_id_++, packet_size};
  const ProbeResult result = observer_.send_probe(order);
  // A probe that could not leave is one that nobody answers: remembered all the same, unless it is about
  // size.
  if (result != ProbeResult::sent && purpose == Purpose::mtu) return result;
  if (outstanding_.size() == max_outstanding) outstanding_.erase(outstanding_.begin());
  outstanding_.push_back(
      {order.id, purpose, !to.has_value(), false, to.value_or(Endpoint{}), packet_size, now});
  return result;
}

void Path::poll(Micros now, std::uint64_t sent) {
  deadline_ = never;
  if (!ready_) return;
  age_outstanding(now);
  poll_keepalive(now);
  poll_candidates(now);
  poll_mtu(now, sent);
}

void Path::age_outstanding(Micros now) {
  const Micros timeout = std::max(answer_timeout(), keepalive_);
  for (Outstanding& probe : outstanding_) {
    if (probe.purpose != Purpose::keepalive || probe.counted || now < probe.sent + timeout) continue;
    probe.counted = true;
    loss_.add(true);
  }
  std::erase_if(outstanding_, [&](const Outstanding& probe) { return now >= probe.sent + forget_after; });
}

void Path::poll_keepalive(Micros now) {
  if (!has_target()) return;
  if (up_ && unanswered_since_ != 0 && now >= unanswered_since_ + missed_limit * keepalive_) {
    up_ = false;
    mtu_.stop();
    hasten_candidates(now);
    observer_.path_down();
  }
  if (now >= next_keepalive_) {
    send(Purpose::keepalive, relayed_ ? std::nullopt : endpoint_, 0, now);
    if (unanswered_since_ == 0) unanswered_since_ = now;
    // Faster until the answer comes, so that a healed wire is noticed soon; an answer sets the usual pace.
    next_keepalive_ = now + std::clamp(2 * rtt_.smoothed(), keepalive_ / 4, keepalive_);
  }
  deadline_ = std::min(deadline_, next_keepalive_);
  if (up_ && unanswered_since_ != 0)
    deadline_ = std::min(deadline_, unanswered_since_ + missed_limit * keepalive_);
}

void Path::poll_candidates(Micros now) {
  const bool wanted = !up_ || relayed_ || !endpoint_ || suspicious(now);
  for (Candidate& candidate : candidates_) {
    // The endpoint in use gets the keepalives.
    if (!relayed_ && candidate.endpoint == endpoint_) continue;
    if (wanted && candidate.next_probe > now + last_pause) candidate.next_probe = now;
    if (now >= candidate.next_probe) {
      send(Purpose::candidate, candidate.endpoint, 0, now);
      candidate.next_probe = now + (wanted ? candidate.pause : comparison_pause);
      candidate.pause = std::min(candidate.pause * 2, last_pause);
    }
    deadline_ = std::min(deadline_, candidate.next_probe);
  }
}

void Path::poll_mtu(Micros now, std::uint64_t sent) {
  if (!up_ || !has_target()) return;
  const std::size_t former = mtu_.current();
  const bool busy = sent != last_sent_;
  last_sent_ = sent;
  for (int step = 0; step < max_search_steps; ++step) {
    const auto sizes = mtu_.poll(now, answer_timeout(), busy);
    if (sizes.empty()) break;
    for (const std::size_t size : sizes)
      if (send(Purpose::mtu, relayed_ ? std::nullopt : endpoint_, size, now) == ProbeResult::too_big)
        mtu_.refused(size, now);
  }
  deadline_ = std::min(deadline_, mtu_.deadline());
  update_mtu(former);
}

void Path::update_mtu(std::size_t former) {
  if (mtu_.current() != former) observer_.path_mtu_changed();
}

void Path::on_reply(std::uint32_t id, const Endpoint& seen, Micros now) {
  const auto at = std::find_if(outstanding_.begin(), outstanding_.end(),
                               [&](const Outstanding& probe) { return probe.id == id; });
  if (at == outstanding_.end()) return;
  const Outstanding probe = *at;
  outstanding_.erase(at);
  const Micros rtt = now > probe.sent ? now - probe.sent : 1;
  if (!seen.empty() && seen != observed_) {
    observed_ = seen;
    observer_.observed_changed();
  }
  answered_by(probe, rtt, now);
}

void Path::answered_by(const Outstanding& probe, Micros rtt, Micros now) {
  if (probe.purpose == Purpose::mtu) {
    if (probe.relayed != relayed_ || (!relayed_ && probe.to != endpoint_)) return;
    const std::size_t former = mtu_.current();
    mtu_.answered(probe.packet_size, now);
    update_mtu(former);
    deadline_ = std::min(deadline_, mtu_.deadline());
    return;
  }
  if (!probe.relayed) consider(probe.to, rtt, now);
  if (probe.relayed != relayed_ || (!relayed_ && probe.to != endpoint_)) return;
  alive(rtt, probe);
  if (up_) return;
  up_ = true;
  observer_.path_up();
  const std::size_t former = mtu_.current();
  mtu_.start(now);
  update_mtu(former);
  deadline_ = now;
}

// An address answered: is it the one to use from now on?
void Path::consider(const Endpoint& candidate, Micros rtt, Micros now) {
  if (!working(now)) {
    // On a relayed path this is news even if the endpoint is the former one: direct packets pass again.
    if (candidate != endpoint_ || relayed_) adopt(candidate, false, now);
    endpoint_answered_ = now;
    return;
  }
  if (candidate == endpoint_) {
    endpoint_answered_ = now;
    return;
  }
  if (relayed_) return;
  Candidate* known = find(candidate);
  if (known == nullptr || !rtt_.known()) return;
  // Candidates come best first: the containers' MTU, for one, is made for the first. It loses only to a
  // clearly faster one. What seemed slow once is looked at again soon, and what seemed fast is compared with
  // the endpoint anew.
  const Candidate* used = find(*endpoint_);
  if (used != nullptr && known < used) {
    if (!clearly_faster(std::max(rtt_.smoothed(), rtt_.last()), rtt)) return adopt(candidate, false, now);
    known->next_probe = std::min(known->next_probe, now + known->pause);
    deadline_ = std::min(deadline_, known->next_probe);
    return;
  }
  const bool faster = clearly_faster(rtt, std::min(rtt_.smoothed(), rtt_.last()));
  known->better = faster ? known->better + 1 : 0;
  if (known->better < better_needed) {
    if (faster) {
      known->next_probe = now + first_pause;
      next_keepalive_ = std::min(next_keepalive_, known->next_probe);
    }
    deadline_ = std::min({deadline_, known->next_probe, next_keepalive_});
    return;
  }
  adopt(candidate, false, now);
}

void Path::alive(Micros rtt, const Outstanding& probe) {
  rtt_.sample(rtt);
  unanswered_since_ = 0;
  next_keepalive_ = std::max(next_keepalive_, probe.sent + keepalive_);
  if (probe.purpose == Purpose::keepalive && !probe.counted) loss_.add(false);
}

void Path::adopt(const Endpoint& endpoint, bool roamed, Micros now) {
  endpoint_ = endpoint;
  for (Candidate& candidate : candidates_)
    candidate.better = 0;
  if (!relayed_) {
    rtt_.reset();
    unanswered_since_ = 0;
    next_keepalive_ = now;
    deadline_ = now;
    if (up_) {
      const std::size_t former = mtu_.current();
      mtu_.start(now);
      update_mtu(former);
    }
  }
  observer_.endpoint_changed(roamed);
}

void Path::on_source(const Endpoint& from, bool probe, Micros now) {
  if (endpoint_ == from) return;
  // Two of our peer's addresses work at once and it probes both, or has chosen another than we: no reason to
  // follow.
  if (working(now) && (probe || relayed_ || find(from) != nullptr)) return;
  adopt(from, true, now);
}

void Path::on_too_big(std::size_t packet_size, Micros now) {
  const std::size_t former = mtu_.current();
  mtu_.refused(packet_size, now);
  update_mtu(former);
  deadline_ = std::min(deadline_, now);
}

}  // namespace weft
