#include "control/group_querier.h"

#include <array>

#include "packet/messages/group_report.h"
#include "packet/messages/loop_probe.h"

namespace weft {
namespace {

constexpr Micros query_interval = 60 * microseconds_per_second;
constexpr Micros first_query_interval = 2 * microseconds_per_second;
// Hosts answer within a second of each query. The wait covers two queries, since the first may be lost.
constexpr Micros known_after = 5 * microseconds_per_second;

}  // namespace

void GroupQuerier::poll(PeerId self, const TapQueues& taps, Micros now) {
  if (now < next_query_) return;
  const bool first = next_query_ == 0;
  // The first query may be lost in a device that has just come up, so the second follows soon.
  next_query_ = now + (first ? first_query_interval : query_interval);
  if (first) known_from_ = now + known_after;
  ask(self, taps, all_ipv4_groups());
  ask(self, taps, all_ipv6_groups());
}

void GroupQuerier::ask(PeerId self, const TapQueues& taps, const IpAddress& group) {
  std::array<std::byte, max_group_query> query;
  const std::size_t size = build_group_query(group, router_mac(self), query);
  // A query that the TAP does not take is lost like one on the wire: the next one makes up for it.
  [[maybe_unused]] const bool written = taps.any().write_frame(ConstBytes{query}.first(size));
}

bool GroupQuerier::changed(LocalGroups& groups, Micros now) {
  if (known_from_ == 0 || now < known_from_) return false;
  auto wanted = groups.current(now);
  if (wanted == told_) return false;
  told_ = std::move(wanted);
  return true;
}

}  // namespace weft
