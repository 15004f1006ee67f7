#include "switch/groups/group_table.h"

#include <algorithm>

#include "switch/groups/local_groups.h"

namespace weft {
namespace {

/// A member whose groups are all in the table, and of which families it wants everything besides.
struct Listed {
  MacOwner slot;
  std::span<const IpAddress> groups;
  bool all_ipv4;
  bool all_ipv6;
};

bool contains_group(std::span<const IpAddress> groups, const IpAddress& group) {
  return std::find(groups.begin(), groups.end(), group) != groups.end();
}

}  // namespace

GroupTable::GroupTable(std::span<const GroupMember> members) {
  std::vector<Listed> listed;
  for (const auto& [slot, groups] : members) {
    const bool fits = groups && make_places(*groups);
    const bool all_ipv4 = !fits || contains_group(*groups, all_ipv4_groups());
    const bool all_ipv6 = !fits || contains_group(*groups, all_ipv6_groups());
    if (all_ipv4) ipv4_routers_.push_back(slot);
    if (all_ipv6) ipv6_routers_.push_back(slot);
    if (fits) listed.push_back({slot, *groups, all_ipv4, all_ipv6});
  }
  for (auto& [key, slots] : wanting_) {
    const auto everywhere = routers(key.address.is_ipv4());
    slots.assign(everywhere.begin(), everywhere.end());
  }
  for (const Listed& member : listed) {
    for (const IpAddress& group : member.groups) {
      if (group.is_ipv4() ? member.all_ipv4 : member.all_ipv6) continue;
      auto& slots = wanting_.find({0, group})->second;
      // Whoever names a group twice stands last already.
      if (slots.empty() || slots.back() != member.slot) slots.push_back(member.slot);
    }
  }
}

bool GroupTable::make_places(std::span<const IpAddress> groups) {
  if (wanting_.size() + groups.size() > capacity) return false;
  for (const IpAddress& group : groups)
    wanting_.try_emplace({0, group});
  return true;
}

}  // namespace weft
