/// What forwarding knows of a segment.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "switch/groups/group_table.h"
#include "switch/groups/local_groups.h"
#include "switch/mac_table.h"

namespace weft {

struct SegmentView {
  std::uint16_t number = 0;
  std::vector<MacOwner> members;              ///< peers that have it
  bool muted = false;                         ///< a loop keeps us from flooding
  std::shared_ptr<const GroupTable> wanted;   ///< which members want which multicast groups
  std::shared_ptr<LocalGroups> local_groups;  ///< which are wanted here
};

}  // namespace weft
