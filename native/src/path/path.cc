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
// Sizes that the local interface refuses at once let the search take several steps in one call.
constexpr int max_search_steps = 32;

}  // namespace

void Path::set_candidates(const std::vector<Endpoint>& candidates, Micros now) {
  candidates_.set(candidates, now);
  deadline_ = now;
}

void Path::set_relayed(bool relayed, bool relay_changed, Micros now) {
  transport_.set_relayed(relayed);
  if (relayed && relay_changed && way() == Way::relay) renew(now);
  choose_way(now);
  deadline_ = now;
}

void Path::set_stream(bool there, Micros now) {
  if (on_stream() && there) renew(now);
  transport_.set_stream(there);
  choose_way(now);
  deadline_ = now;
}

void Path::choose_way(Micros now) {
  take(transport_.wanted(direct()), direct(), now);
}

void Path::take(Way way, bool direct, Micros now) {
  if (way == transport_.way()) return;
  transport_.take(way, direct, now);
  renew(now);
  candidates_.hasten(now);
  observer_.transport_changed();
  // What was in use is gone, and no address answers.
  if (up() && way == Way::direct && !direct) go_down(now);
}

// Packets take another way: nothing that was measured holds.
void Path::renew(Micros now) {
  liveness_.reset(now);
  liveness_.forget_loss();
  deadline_ = now;
  mtu_.stop();
  if (up()) restart(now);
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
  liveness_.probe_now(now);
  deadline_ = now;
  candidates_.hasten(now);
}

std::uint32_t Path::ask(std::size_t packet_size, Micros now) {
  const std::uint32_t id = next_id_;
  if (ready_ && has_target()) send_along(Purpose::asked, packet_size, now);
  return id;
}

bool Path::uses(const Outstanding& probe) const noexcept {
  return probe.way == way() && (transport_.detour() || probe.to == endpoint_);
}

ProbeResult Path::send(Purpose purpose, Way way, const Endpoint& to, std::size_t packet_size, Micros now) {
  // That a padded probe is not answered says nothing about the address.
  Candidate* const candidate = way == Way::direct && packet_size == 0 ? candidates_.find(to) : nullptr;
  const IpAddress from = candidate != nullptr ? candidate->next_source(now) : source_;
  const ProbeOrder order{way, to, from, next_id_++, packet_size};
  const ProbeResult result = observer_.send_probe(order);
  // A probe that could not leave is one that nobody answers: remembered all the same, unless it is about
  // size.
  if (result != ProbeResult::sent && purpose == Purpose::mtu) return result;
  if (outstanding_.size() == max_outstanding) outstanding_.erase(outstanding_.begin());
  outstanding_.push_back({order.id, purpose, way, false, to, from, packet_size, now});
  if (candidate != nullptr) candidate->probed(now);
  return result;
}

ProbeResult Path::send_along(Purpose purpose, std::size_t packet_size, Micros now) {
  return send(purpose, way(), transport_.detour() ? Endpoint{} : *endpoint_, packet_size, now);
}

void Path::poll(Micros now, std::uint64_t sent) {
  deadline_ = never;
  if (!ready_) return;
  liveness_.note_traffic(sent, now);
  age_outstanding(now);
  leave_failing(now);
  poll_keepalive(now);
  poll_candidates(now);
  poll_direct(now);
  poll_mtu(now);
  poll_ports(now, sent);
}

void Path::age_outstanding(Micros now) {
  const Micros timeout = liveness_.loss_timeout();
  for (Outstanding& probe : outstanding_) {
    if (probe.counted || now < probe.sent + timeout) continue;
    probe.counted = true;
    if (probe.purpose == Purpose::keepalive && uses(probe)) liveness_.lost();
    if (probe.way == Way::direct && probe.to == endpoint_) transport_.missed(probe.sent);
  }
  std::erase_if(outstanding_, [&](const Outstanding& probe) { return now >= probe.sent + forget_after; });
}

void Path::poll_keepalive(Micros now) {
  if (!has_target()) return;
  if (liveness_.dead(now)) {
    if (!transport_.detour() && transport_.has_stream())
      take(Way::stream, false, now);
    else
      go_down(now);
  }
  if (liveness_.due(now)) {
    // Those in between say nothing about loss: they are sent when something is lost.
    send_along(up() && liveness_.waiting() ? Purpose::recheck : Purpose::keepalive, 0, now);
    liveness_.sent(now);
  }
  deadline_ = std::min(deadline_, liveness_.deadline());
}

void Path::go_down(Micros now) {
  liveness_.set_up(false);
  mtu_.stop();
  candidates_.hasten(now);
  observer_.path_down();
}

void Path::poll_candidates(Micros now) {
  const bool detour = transport_.detour();
  const bool wanted = !up() || detour || !endpoint_ || liveness_.suspicious(now);
  const Micros slowest = detour && up() ? detour_pause : Candidate::last_pause;
  for (Candidate& candidate : candidates_.all()) {
    const bool endpoint = candidate.endpoint == endpoint_;
    // The endpoint in use gets the keepalives.
    if (!detour && endpoint) continue;
    if (wanted && candidate.next_probe > now + slowest) candidate.next_probe = now;
    if (now >= candidate.next_probe) {
      send(Purpose::candidate, Way::direct, candidate.endpoint, 0, now);
      const bool promising = detour && endpoint && transport_.promising();
      candidate.pause = std::min(candidate.pause, promising ? Candidate::last_pause : slowest);
      candidate.next_probe = now + (wanted ? candidate.pause : comparison_pause);
      candidate.pause = std::min(candidate.pause * 2, slowest);
    }
    deadline_ = std::min(deadline_, candidate.next_probe);
  }
}

// The endpoint that answered while packets take another way: does it still?
void Path::poll_direct(Micros now) {
  if (!transport_.detour() || !transport_.promising()) return;
  const Micros end = transport_.answer_holds_until();
  if (now < end) {
    deadline_ = std::min(deadline_, end);
    return;
  }
  if (transport_.fall_silent()) observer_.direct_changed(false);
}

void Path::poll_mtu(Micros now) {
  if (!up() || !has_target() || on_stream()) return;
  const std::size_t former = mtu_.current();
  for (int step = 0; step < max_search_steps; ++step) {
    const auto sizes = mtu_.poll(now, liveness_.answer_timeout(), liveness_.busy(now));
    if (sizes.empty()) break;
    for (const std::size_t size : sizes)
      if (send_along(Purpose::mtu, size, now) == ProbeResult::too_big) mtu_.refused(size, now);
  }
  deadline_ = std::min(deadline_, mtu_.deadline());
  update_mtu(former);
}

void Path::poll_ports(Micros now, std::uint64_t sent) {
  const std::uint32_t former = spread_.usable();
  if (!up() || transport_.detour() || !endpoint_) {
    spread_.stop();
  } else {
    for (const unsigned port : spread_.poll(mtu_.current(), sent, now)) {
      const ProbeOrder order{Way::direct, *endpoint_, source_, next_id_++, mtu_.current(), port};
      // One that cannot leave is one that nobody answers.
      observer_.send_probe(order);
      spread_.asked(port, order.id, now);
    }
  }
  deadline_ = std::min(deadline_, spread_.deadline());
  if (spread_.usable() != former) observer_.ports_changed();
}

// The path is another one.
void Path::restart(Micros now) {
  const bool spread = spread_.usable() != 0;
  spread_.stop();
  if (spread) observer_.ports_changed();
  const std::size_t former = mtu_.current();
  mtu_.start(now);
  update_mtu(former);
  deadline_ = now;
}

void Path::update_mtu(std::size_t former) {
  if (mtu_.current() != former) observer_.path_mtu_changed();
}

void Path::on_reply(std::uint32_t id, const Endpoint& seen, Micros now) {
  const std::uint32_t former = spread_.usable();
  if (spread_.answered(id, seen.address() == seen_at_endpoint_.address(), now)) {
    if (spread_.usable() != former) observer_.ports_changed();
    return;
  }
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
    liveness_.proved();
    const std::size_t former = mtu_.current();
    mtu_.answered(probe.packet_size, now);
    update_mtu(former);
    deadline_ = std::min(deadline_, mtu_.deadline());
    return;
  }
  if (probe.purpose == Purpose::asked) observer_.probe_answered(probe.id, rtt);
  if (probe.way == Way::direct) consider(probe, rtt, now);
  if (!uses(probe)) return;
  liveness_.answered(rtt, probe.sent, probe.purpose == Purpose::keepalive && !probe.counted);
  if (up()) return;
  liveness_.set_up(true);
  observer_.path_up();
  restart(now);
}

void Path::on_too_big(std::size_t packet_size, Micros now) {
  const std::size_t former = mtu_.current();
  mtu_.refused(packet_size, now);
  update_mtu(former);
  deadline_ = std::min(deadline_, now);
}

}  // namespace weft
