#include "path/port_spread.h"

#include <algorithm>

namespace weft {
namespace {

constexpr Micros never = ~Micros{0};
// Unanswered probes of one port that are remembered: those of a second at the highest pace.
constexpr std::size_t max_open = 20;

}  // namespace

std::vector<unsigned> PortSpread::poll(std::size_t packet_size, std::uint64_t sent, Micros now) {
  std::vector<unsigned> probes;
  deadline_ = never;
  if (ports_.empty()) return probes;
  watch_traffic(sent, now);
  // That a port carries packets of one size says nothing about larger ones.
  if (now >= wanted_until_ || packet_size > packet_size_) stop();
  packet_size_ = packet_size;
  if (now >= wanted_until_) return probes;
  asking_ = true;
  unsigned number = 0;
  for (Port& port : ports_) {
    ++number;
    port.liveness.note_traffic(sent, now);
    if (due(port, now)) probes.push_back(number);
  }
  return probes;
}

void PortSpread::watch_traffic(std::uint64_t sent, Micros now) noexcept {
  if (now < window_end_) return;
  if (window_end_ != 0 && sent - window_sent_ >= worthwhile) wanted_until_ = now + linger;
  window_sent_ = sent;
  window_end_ = now + window;
}

bool PortSpread::due(Port& port, Micros now) noexcept {
  if (port.liveness.dead(now)) {
    port.liveness.set_up(false);
    port.next_probe = now + port.pause;
  }
  if (port.liveness.up()) {
    const bool is_due = port.liveness.due(now);
    if (is_due) port.liveness.sent(now);
    deadline_ = std::min(deadline_, port.liveness.deadline());
    return is_due;
  }
  const bool is_due = now >= port.next_probe;
  if (is_due) {
    port.next_probe = now + port.pause;
    port.pause = std::min(port.pause * 2, last_pause);
  }
  deadline_ = std::min(deadline_, port.next_probe);
  return is_due;
}

void PortSpread::asked(unsigned port, std::uint32_t id, Micros now) {
  auto& open = ports_[port - 1].open;
  if (open.size() == max_open) open.erase(open.begin());
  open.emplace_back(id, now);
}

bool PortSpread::answered(std::uint32_t id, bool same_address, Micros now) {
  for (Port& port : ports_) {
    const auto at = std::find_if(port.open.begin(), port.open.end(),
                                 [&](const auto& probe) { return probe.first == id; });
    if (at == port.open.end()) continue;
    const Micros sent = at->second;
    port.open.erase(at);
    if (!same_address) return true;
    if (!port.liveness.up()) {
      port.liveness.reset(now);
      port.liveness.set_up(true);
      port.pause = first_pause;
    }
    port.liveness.answered(std::max(now, sent + 1) - sent, sent, true);
    return true;
  }
  return false;
}

void PortSpread::stop() noexcept {
  if (!asking_) return;
  asking_ = false;
  deadline_ = never;
  for (Port& port : ports_)
    port = Port{};
}

std::uint32_t PortSpread::usable() const noexcept {
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < ports_.size(); ++i)
    if (ports_[i].liveness.up()) bits |= 2U << i;
  return bits;
}

}  // namespace weft
