#include "path/path.h"

#include <algorithm>

namespace weft {
namespace {

constexpr Micros never = ~Micros{0};
// Probes remembered; the oldest is forgotten first. Enough for the ladder of sizes and all candidates.
constexpr std::size_t max_outstanding = 256;
constexpr Micros forget_after = 15 * microseconds_per_second;
// While an endpoint works, how often the others are measured.
constexpr Micros comparison_pause = 10 * microseconds_per_second;
// While packets take another way, how often addresses that do not answer are tried.
constexpr Micros detour_pause = 5 * microseconds_per_second;
// A candidate wins over a working endpoint that is preferred when it was clearly faster several times in a
// row.
constexpr unsigned better_needed = 3;
constexpr Micros better_by = 1000;
constexpr Micros min_overdue = 50 * microseconds_per_millisecond;
constexpr Micros min_answer_timeout = 200 * microseconds_per_millisecond;
constexpr Micros max_answer_timeout = microseconds_per_second;
// For so long after a packet a path counts as busy.
constexpr Micros busy_for = microseconds_per_second;
// Sizes that the local interface refuses at once let the search take several steps in one call.
constexpr int max_search_steps = 32;
// Where a peer was found to be besides its candidates; the oldest goes.
constexpr std::size_t max_learned = 2;
// Another source is tried only when an address has not answered for so long, and so many probes.
constexpr Micros source_holds = 5 * microseconds_per_second;
constexpr unsigned misses_before_other_source = 2;

bool clearly_faster(Micros rtt, Micros than) {
  return rtt + better_by < than && rtt * 10 < than * 7;
}

}  // namespace

bool Candidate::answered_lately(Micros now) const noexcept {
  return last_answer != 0 && now < last_answer + source_holds;
}

IpAddress Candidate::next_source(Micros now) const noexcept {
  if (answered_lately(now) || unanswered < misses_before_other_source) return source;
  return unanswered % 2 == 0 ? heard_at : IpAddress{};
}

void Path::set_candidates(const std::vector<Endpoint>& candidates, Micros now) {
  std::vector<Candidate> next;
  next.reserve(candidates.size() + max_learned);
  for (const Endpoint& endpoint : candidates) {
    const Candidate* known = find(endpoint);
    next.push_back(known != nullptr ? *known : Candidate{endpoint, now});
    next.back().learned = false;
  }
  for (const Candidate& known : candidates_)
    if (known.learned && std::find(candidates.begin(), candidates.end(), known.endpoint) == candidates.end())
      next.push_back(known);
  candidates_ = std::move(next);
  deadline_ = now;
}

void Path::set_relayed(bool relayed, bool relay_changed, Micros now) {
  relayed_ = relayed;
  if (relayed && relay_changed && way_ == Way::relay) renew(now);
  choose_way(now);
  deadline_ = now;
}

void Path::set_stream(bool there, Micros now) {
  if (way_ == Way::stream && there) renew(now);
  stream_ = there;
  choose_way(now);
  deadline_ = now;
}

// A relay if the daemon says so; else UDP as long as it works, or nothing else is there.
void Path::choose_way(Micros now) {
  if (relayed_) return take(Way::relay, direct(), now);
  take(stream_ && !direct() ? Way::stream : Way::direct, direct(), now);
}

void Path::take(Way way, bool direct, Micros now) {
  if (way == way_) return;
  direct_ = way != Way::direct && direct;
  direct_answers_ = direct_ ? answers_needed : 0;
  endpoint_answered_ = direct_ ? now : 0;
  way_ = way;
  renew(now);
  hasten_candidates(now);
  observer_.transport_changed();
  // What was in use is gone, and no address answers.
  if (up_ && way == Way::direct && !direct) go_down(now);
}

// Packets take another way: nothing that was measured holds.
void Path::renew(Micros now) {
  rtt_.reset();
  loss_ = Loss{};
  unanswered_since_ = 0;
  unanswered_ = 0;
  keepalive_at_ = now;
  deadline_ = now;
  mtu_.stop();
  if (up_) restart_mtu(now);
}

void Path::set_ready(bool ready, Micros now) {
  ready_ = ready;
  if (!ready) {
    deadline_ = never;
    return;
  }
  punch(now);
}

void Path::punch(Micros now) {
  keepalive_at_ = now;
  deadline_ = now;
  hasten_candidates(now);
}

std::uint32_t Path::ask(Micros now) {
  const std::uint32_t id = next_id_;
  if (ready_ && has_target()) send_along(Purpose::asked, 0, now);
  return id;
}

void Path::hasten_candidates(Micros now) {
  for (Candidate& candidate : candidates_) {
    candidate.next_probe = now;
    candidate.pause = first_pause;
  }
}

Candidate* Path::find(const Endpoint& endpoint) noexcept {
  const auto at = std::find_if(candidates_.begin(), candidates_.end(),
                               [&](const Candidate& candidate) { return candidate.endpoint == endpoint; });
  return at == candidates_.end() ? nullptr : &*at;
}

bool Path::uses(const Outstanding& probe) const noexcept {
  return probe.way == way_ && (way_ != Way::direct || probe.to == endpoint_);
}

// Long before it is down: other addresses are worth a try.
bool Path::suspicious(Micros now) const noexcept {
  return unanswered_since_ != 0 && now >= unanswered_since_ + overdue();
}

// So much goes unanswered that another address is to be taken, if there is one that answers. What was asked
// when the first answer became overdue has had the time to come.
bool Path::failing(Micros now) const noexcept {
  return unanswered_since_ != 0 && unanswered_ >= misses_before_change &&
         now >= unanswered_since_ + overdue() * 3 / 2;
}

// The endpoint itself answers; what the relay does says nothing about it.
bool Path::working(Micros now) const noexcept {
  if (!endpoint_) return false;
  if (way_ == Way::direct) return up_ && !failing(now);
  return endpoint_answered_ != 0 && now < endpoint_answered_ + 3 * last_pause;
}

Micros Path::overdue() const noexcept {
  if (!rtt_.known()) return min_answer_timeout;
  // A slow wire with a long queue may take seconds.
  const Micros most = std::max(max_answer_timeout, 2 * rtt_.smoothed());
  return std::clamp(2 * rtt_.smoothed() + 4 * rtt_.variance(), min_overdue, most);
}

Micros Path::answer_timeout() const noexcept {
  return rtt_.known() ? std::max(overdue(), min_answer_timeout) : min_answer_timeout * 2;
}

// A far peer, or one with a trembling wire, gets more time.
Micros Path::patience() const noexcept {
  return std::max({min_patience, overdue(), std::min(2 * overdue(), 3 * keepalive_)});
}

ProbeResult Path::send(Purpose purpose, Way way, const Endpoint& to, std::size_t packet_size, Micros now) {
  Candidate* const candidate = way == Way::direct && purpose != Purpose::mtu ? find(to) : nullptr;
  const IpAddress from = candidate != nullptr ? candidate->next_source(now) : source_;
  const ProbeOrder order{way, to, from, next_id_++, packet_size};
  const ProbeResult result = observer_.send_probe(order);
  // A probe that could not leave is one that nobody answers: remembered all the same, unless it is about
  // size.
  if (result != ProbeResult::sent && purpose == Purpose::mtu) return result;
  if (outstanding_.size() == max_outstanding) outstanding_.erase(outstanding_.begin());
  outstanding_.push_back({order.id, purpose, way, false, to, from, packet_size, now});
  if (candidate != nullptr) {
    ++candidate->probes;
    ++candidate->unanswered;
    candidate->last_probe = now;
  }
  return result;
}

ProbeResult Path::send_along(Purpose purpose, std::size_t packet_size, Micros now) {
  const bool udp = way_ == Way::direct;
  return send(purpose, way_, udp ? *endpoint_ : Endpoint{}, packet_size, now);
}

void Path::poll(Micros now, std::uint64_t sent) {
  deadline_ = never;
  if (!ready_) return;
  if (sent != last_sent_) busy_until_ = now + busy_for;
  last_sent_ = sent;
  age_outstanding(now);
  leave_failing(now);
  poll_keepalive(now);
  poll_candidates(now);
  poll_direct(now);
  poll_mtu(now);
}

void Path::age_outstanding(Micros now) {
  const Micros timeout = std::max(answer_timeout(), std::min(keepalive_, min_patience));
  for (Outstanding& probe : outstanding_) {
    if (probe.counted || now < probe.sent + timeout) continue;
    probe.counted = true;
    if (probe.purpose == Purpose::keepalive && uses(probe)) loss_.add(true);
    const bool breaks_row =
        probe.way == Way::direct && probe.to == endpoint_ && probe.sent > direct_row_since_;
    if (breaks_row && !direct_) direct_answers_ = 0;
  }
  std::erase_if(outstanding_, [&](const Outstanding& probe) { return now >= probe.sent + forget_after; });
}

void Path::poll_keepalive(Micros now) {
  if (!has_target()) return;
  if (up_ && unanswered_ >= missed_limit && now >= unanswered_since_ + patience()) {
    if (way_ == Way::direct && stream_)
      take(Way::stream, false, now);
    else
      go_down(now);
  }
  const Micros pause = keepalive_pause(now);
  // Traffic that begins, or an answer that is overdue, brings the next one forward.
  keepalive_at_ = std::min(keepalive_at_, last_keepalive_ + pause);
  // On an idle path nobody waits for it to the millisecond: it goes along with what is done for other peers.
  const Micros early = up_ && pause == keepalive_ ? pause / 8 : 0;
  if (now + early >= keepalive_at_) {
    // Those in between say nothing about loss: they are sent when something is lost.
    send_along(up_ && unanswered_since_ != 0 ? Purpose::recheck : Purpose::keepalive, 0, now);
    if (unanswered_since_ == 0) unanswered_since_ = now;
    ++unanswered_;
    last_keepalive_ = now;
    keepalive_at_ = now + keepalive_pause(now);
  }
  deadline_ = std::min(deadline_, keepalive_at_);
}

void Path::go_down(Micros now) {
  up_ = false;
  mtu_.stop();
  hasten_candidates(now);
  observer_.path_down();
}

// A wire that is cut under traffic is to be noticed in half a second, and one that is healed as soon.
Micros Path::keepalive_pause(Micros now) const noexcept {
  if (!up_) return std::clamp(2 * rtt_.smoothed(), keepalive_ / 4, keepalive_);
  // On a slow wire they would be what fills it.
  if (suspicious(now)) return std::max(recheck_pause, rtt_.smoothed() / 8);
  if (unanswered_since_ != 0) return std::min(unanswered_since_ + overdue() - last_keepalive_, keepalive_);
  return now < busy_until_ ? std::min(busy_keepalive, keepalive_) : keepalive_;
}

// Other addresses were asked as soon as the endpoint was late: whichever answered since is better.
void Path::leave_failing(Micros now) {
  if (way_ != Way::direct || !up_ || !failing(now)) return;
  const auto answers = [&](const Candidate& candidate) {
    return candidate.endpoint != endpoint_ && candidate.last_answer > unanswered_since_;
  };
  const auto at = std::find_if(candidates_.begin(), candidates_.end(), answers);
  if (at != candidates_.end()) adopt(at->endpoint, false, now);
}

void Path::poll_candidates(Micros now) {
  const bool detour = way_ != Way::direct;
  const bool wanted = !up_ || detour || !endpoint_ || suspicious(now);
  const Micros slowest = detour && up_ ? detour_pause : last_pause;
  for (Candidate& candidate : candidates_) {
    const bool endpoint = candidate.endpoint == endpoint_;
    // The endpoint in use gets the keepalives.
    if (!detour && endpoint) continue;
    if (wanted && candidate.next_probe > now + slowest) candidate.next_probe = now;
    if (now >= candidate.next_probe) {
      send(Purpose::candidate, Way::direct, candidate.endpoint, 0, now);
      const bool promising = detour && endpoint && direct_answers_ > 0;
      candidate.pause = std::min(candidate.pause, promising ? last_pause : slowest);
      candidate.next_probe = now + (wanted ? candidate.pause : comparison_pause);
      candidate.pause = std::min(candidate.pause * 2, slowest);
    }
    deadline_ = std::min(deadline_, candidate.next_probe);
  }
}

// The endpoint that answered while packets take another way: does it still?
void Path::poll_direct(Micros now) {
  if (way_ == Way::direct || direct_answers_ == 0) return;
  const Micros end = endpoint_answered_ + 3 * last_pause;
  if (now < end) {
    deadline_ = std::min(deadline_, end);
    return;
  }
  direct_answers_ = 0;
  if (!direct_) return;
  direct_ = false;
  observer_.direct_changed(false);
}

void Path::poll_mtu(Micros now) {
  if (!up_ || !has_target() || on_stream()) return;
  const std::size_t former = mtu_.current();
  for (int step = 0; step < max_search_steps; ++step) {
    const auto sizes = mtu_.poll(now, answer_timeout(), now < busy_until_);
    if (sizes.empty()) break;
    for (const std::size_t size : sizes)
      if (send_along(Purpose::mtu, size, now) == ProbeResult::too_big) mtu_.refused(size, now);
  }
  deadline_ = std::min(deadline_, mtu_.deadline());
  update_mtu(former);
}

void Path::restart_mtu(Micros now) {
  const std::size_t former = mtu_.current();
  mtu_.start(now);
  update_mtu(former);
  deadline_ = now;
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
  bool news = notice(seen);
  answered_by(probe, rtt, now);
  if (probe.way == Way::direct && probe.to == endpoint_ && seen != seen_at_endpoint_) {
    seen_at_endpoint_ = seen;
    news = true;
  }
  if (news) observer_.observed_changed();
}

// Over IPv4 and over IPv6 we are seen at two addresses: that answers come over both in turn is no news.
bool Path::notice(const Endpoint& seen) noexcept {
  if (seen.empty()) return false;
  Endpoint& known = observed_[seen.is_ipv4() ? 0 : 1];
  if (known == seen) return false;
  known = seen;
  last_observed_ = seen;
  return true;
}

void Path::answered_by(const Outstanding& probe, Micros rtt, Micros now) {
  if (probe.purpose == Purpose::mtu) {
    if (!uses(probe)) return;
    // On a slow wire the keepalives wait behind the large probes.
    unanswered_since_ = 0;
    unanswered_ = 0;
    const std::size_t former = mtu_.current();
    mtu_.answered(probe.packet_size, now);
    update_mtu(former);
    deadline_ = std::min(deadline_, mtu_.deadline());
    return;
  }
  if (probe.purpose == Purpose::asked) observer_.probe_answered(probe.id, rtt);
  if (probe.way == Way::direct) consider(probe, rtt, now);
  if (!uses(probe)) return;
  alive(rtt, probe);
  if (up_) return;
  up_ = true;
  observer_.path_up();
  restart_mtu(now);
}

// An address answered: is it the one to use from now on?
void Path::consider(const Outstanding& probe, Micros rtt, Micros now) {
  const Endpoint& address = probe.to;
  Candidate* const candidate = find(address);
  if (candidate != nullptr) {
    if (!candidate->answered_lately(now)) candidate->source = probe.from;
    candidate->unanswered = 0;
    ++candidate->answers;
    candidate->last_answer = now;
    candidate->rtt.sample(rtt);
  }
  if (candidate != nullptr && address == endpoint_) leave_from(candidate->source, now);
  if (way_ != Way::direct) return consider_direct(address, now);
  if (!working(now)) {
    if (address != endpoint_) adopt(address, false, now);
    return;
  }
  if (candidate != nullptr && address != endpoint_ && rtt_.known()) compare(*candidate, rtt, now);
}

// On a detour: one answer may be luck, and going back and forth costs more than staying a moment.
void Path::consider_direct(const Endpoint& address, Micros now) {
  if (address != endpoint_ || !working(now)) {
    if (working(now)) return;
    if (address != endpoint_) adopt(address, false, now);
    direct_answers_ = 0;
  }
  if (direct_answers_ == 0) direct_row_since_ = now;
  endpoint_answered_ = now;
  if (direct_) return;
  if (++direct_answers_ < answers_needed) {
    Candidate* const candidate = find(address);
    if (candidate != nullptr) {
      candidate->next_probe = now + first_pause;
      deadline_ = std::min(deadline_, candidate->next_probe);
    }
    return;
  }
  direct_ = true;
  observer_.direct_changed(true);
  choose_way(now);
}

// Candidates come best first: the containers' MTU, for one, is made for the first. It loses only to a
// clearly faster one. What seemed slow once is looked at again soon, and what seemed fast is compared with
// the endpoint anew.
void Path::compare(Candidate& candidate, Micros rtt, Micros now) {
  const Candidate* used = find(*endpoint_);
  if (used != nullptr && &candidate < used) {
    if (!clearly_faster(std::max(rtt_.smoothed(), rtt_.last()), rtt))
      return adopt(candidate.endpoint, false, now);
    candidate.next_probe = std::min(candidate.next_probe, now + candidate.pause);
    deadline_ = std::min(deadline_, candidate.next_probe);
    return;
  }
  const bool faster = clearly_faster(rtt, std::min(rtt_.smoothed(), rtt_.last()));
  candidate.better = faster ? candidate.better + 1 : 0;
  if (candidate.better >= better_needed) return adopt(candidate.endpoint, false, now);
  if (faster) {
    candidate.next_probe = now + first_pause;
    keepalive_at_ = std::min(keepalive_at_, candidate.next_probe);
  }
  deadline_ = std::min({deadline_, candidate.next_probe, keepalive_at_});
}

void Path::alive(Micros rtt, const Outstanding& probe) {
  rtt_.sample(rtt);
  unanswered_since_ = 0;
  unanswered_ = 0;
  keepalive_at_ = std::max(keepalive_at_, probe.sent + keepalive_);
  if (probe.purpose == Purpose::keepalive && !probe.counted) loss_.add(false);
}

void Path::leave_from(const IpAddress& source, Micros now) {
  if (source == source_) return;
  source_ = source;
  if (up_ && way_ == Way::direct) restart_mtu(now);
  observer_.source_changed();
}

void Path::adopt(const Endpoint& endpoint, bool roamed, Micros now) {
  endpoint_ = endpoint;
  const Candidate* const candidate = find(endpoint);
  source_ = candidate != nullptr ? candidate->source : IpAddress{};
  seen_at_endpoint_ = Endpoint{};
  for (Candidate& other : candidates_)
    other.better = 0;
  if (way_ == Way::direct) {
    rtt_.reset();
    unanswered_since_ = 0;
    unanswered_ = 0;
    keepalive_at_ = now;
    deadline_ = now;
    if (up_) restart_mtu(now);
  }
  observer_.endpoint_changed(roamed);
}

void Path::on_source(const Endpoint& from, const IpAddress& heard_at, bool probe, Micros now) {
  Candidate* const known = find(from);
  if (known != nullptr && !working(now)) known->heard_at = heard_at;
  if (endpoint_ == from) return;
  if (working(now) && (probe || way_ != Way::direct)) return;
  if (known != nullptr && endpoint_) {
    // The peer probes all addresses, and may have chosen another than we. That it reaches us from there does
    // not mean that we reach it: the answer decides.
    if (!working(now)) {
      known->next_probe = std::min(known->next_probe, std::max(now, known->last_probe + recheck_pause));
      deadline_ = std::min(deadline_, known->next_probe);
    }
    return;
  }
  if (known == nullptr) learn(from, now).heard_at = heard_at;
  adopt(from, true, now);
}

// Behind a NAT a peer may be where nobody could tell.
Candidate& Path::learn(const Endpoint& address, Micros now) {
  const auto learned = [](const Candidate& candidate) { return candidate.learned; };
  if (std::count_if(candidates_.begin(), candidates_.end(), learned) >= std::ptrdiff_t{max_learned})
    candidates_.erase(std::find_if(candidates_.begin(), candidates_.end(), learned));
  Candidate& candidate = candidates_.emplace_back(address, now);
  candidate.learned = true;
  return candidate;
}

void Path::on_too_big(std::size_t packet_size, Micros now) {
  const std::size_t former = mtu_.current();
  mtu_.refused(packet_size, now);
  update_mtu(former);
  deadline_ = std::min(deadline_, now);
}

}  // namespace weft
