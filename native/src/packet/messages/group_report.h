/// What hosts tell of the multicast groups that they want: IGMP (RFC 2236, 3376) and MLD (RFC 2710, 3810),
/// and the questions that make them tell.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "packet/address/ip_address.h"
#include "packet/parse.h"

namespace weft {

enum class GroupMessage : std::uint8_t { none, query, report };

/// What kind of message an untagged frame is. A query of a router (one with an address of its own) makes
/// whoever sent it want all groups: `from_router`.
struct GroupMessageKind {
  GroupMessage kind = GroupMessage::none;
  bool from_router = false;
};
GroupMessageKind group_message(ConstBytes frame, const Layers& layers) noexcept;

/// Takes what the reports in such a frame say, group by group.
class GroupReportSink {
 public:
  virtual ~GroupReportSink() = default;
  virtual void wanted(const IpAddress& group) noexcept = 0;
  /// Somebody wants it no longer; others on the segment may.
  virtual void left(const IpAddress& group) noexcept = 0;
};
void read_group_reports(ConstBytes frame, const Layers& layers, GroupReportSink& sink) noexcept;

/// False for groups of the link (224.0.0.0/24, and IPv6 of link-local scope or less), which everybody is
/// taken to want, and for what is no group.
bool is_reported(const IpAddress& group) noexcept;
/// The group that a frame is for, if it is one whose members tell of it.
std::optional<IpAddress> reported_group(ConstBytes frame, const Layers& layers) noexcept;

/// Largest frame that `build_group_query` makes.
inline constexpr std::size_t max_group_query = ethernet_header_size + 40 + 8 + 28;

/// Builds a question, from `from`, to which hosts answer within a second: for all IPv4 groups, all IPv6
/// groups
/// (`general` is 0.0.0.0 or ::), or one of them. Returns the size of the frame.
std::size_t build_group_query(const IpAddress& group, const MacAddress& from, Bytes out) noexcept;

}  // namespace weft
