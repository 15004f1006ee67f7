#include "switch/groups/local_groups.h"

#include <algorithm>
#include <array>

namespace weft {
namespace {

// Beyond this even remembering is refused; what is told is "all" long before.
constexpr std::size_t max_remembered = 4 * LocalGroups::capacity;

}  // namespace

const IpAddress& all_ipv4_groups() noexcept {
  static const std::array<std::byte, 4> zero{};
  static const IpAddress all = IpAddress::ipv4(zero.data());
  return all;
}

const IpAddress& all_ipv6_groups() noexcept {
  static const IpAddress all;
  return all;
}

bool LocalGroups::wanted(const IpAddress& group, Micros now) {
  const std::lock_guard guard(mutex_);
  const auto at = until_.find(group);
  if (at == until_.end() && until_.size() >= max_remembered) return false;
  until_.insert_or_assign(group, now + lifetime);
  return at == until_.end();
}

bool LocalGroups::left(const IpAddress& group, Micros now) {
  const std::lock_guard guard(mutex_);
  const auto at = until_.find(group);
  if (at == until_.end()) return false;
  at->second = std::min(at->second, now + last_call);
  return true;
}

bool LocalGroups::router(bool ipv4, Micros now) {
  return wanted(ipv4 ? all_ipv4_groups() : all_ipv6_groups(), now);
}

std::vector<IpAddress> LocalGroups::current(Micros now) {
  const std::lock_guard guard(mutex_);
  std::erase_if(until_, [now](const auto& entry) { return entry.second <= now; });
  if (until_.size() > capacity) return {all_ipv6_groups(), all_ipv4_groups()};
  std::vector<IpAddress> groups;
  for (const auto& [group, until] : until_)
    groups.push_back(group);
  return groups;
}

}  // namespace weft
