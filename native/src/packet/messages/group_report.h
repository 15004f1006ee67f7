/// Reports of hosts about the multicast groups that they want, IGMP (RFC 2236, 3376) and MLD (RFC 2710,
/// 3810), and the queries that solicit them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "packet/address/ip_address.h"
#include "packet/parse.h"

namespace weft {

enum class GroupMessage : std::uint8_t { none, query, report };

/// The kind of message in an untagged frame. `from_router` is set for a query from a router, which has an
/// address of its own: a router wants all groups.
struct GroupMessageKind {
  GroupMessage kind = GroupMessage::none;
  bool from_router = false;
};
GroupMessageKind group_message(ConstBytes frame, const Layers& layers) noexcept;

/// Receives the contents of the reports in a frame, group by group.
class GroupReportSink {
 public:
  virtual ~GroupReportSink() = default;
  virtual void wanted(const IpAddress& group) noexcept = 0;
  /// One host has left the group. Others on the segment may still want it.
  virtual void left(const IpAddress& group) noexcept = 0;
};
void read_group_reports(ConstBytes frame, const Layers& layers, GroupReportSink& sink) noexcept;

/// False for link-local groups (224.0.0.0/24, and IPv6 of link-local scope or less), which every host is
/// taken to want, and for addresses that are not multicast groups.
bool is_reported(const IpAddress& group) noexcept;
/// Returns the group that a frame is for, if it is one whose members report it.
std::optional<IpAddress> reported_group(ConstBytes frame, const Layers& layers) noexcept;

/// Largest frame that `build_group_query` makes.
inline constexpr std::size_t max_group_query = ethernet_header_size + 40 + 8 + 28;

/// Builds a query from `from`, to which hosts answer within a second. It asks for `group`, or for all IPv4
/// groups if that is 0.0.0.0, or for all IPv6 groups if it is ::. Returns the size of the frame.
std::size_t build_group_query(const IpAddress& group, const MacAddress& from, Bytes out) noexcept;

}  // namespace weft
