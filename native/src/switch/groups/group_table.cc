#include "switch/groups/group_table.h"

#include <algorithm>

#include "switch/groups/local_groups.h"

namespace weft {

GroupTable::GroupTable(std::span<const GroupMember> members) {
  const auto wants = [](const GroupMember& member, const IpAddress& group) {
    return !member.groups ||
           std::find(member.groups->begin(), member.groups->end(), group) != member.groups->end();
  };
  for (const GroupMember& member : members) {
    if (wants(member, all_ipv4_groups())) ipv4_routers_.push_back(member.slot);
    if (wants(member, all_ipv6_groups())) ipv6_routers_.push_back(member.slot);
  }
  for (const GroupMember& member : members) {
    for (const IpAddress& group : member.groups.value_or(std::vector<IpAddress>{})) {
      const auto everywhere = routers(group.is_ipv4());
      auto& slots = wanting_.try_emplace({0, group}, everywhere.begin(), everywhere.end()).first->second;
      if (std::find(slots.begin(), slots.end(), member.slot) == slots.end()) slots.push_back(member.slot);
    }
  }
}

}  // namespace weft
