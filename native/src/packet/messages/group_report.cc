#include "packet/messages/group_report.h"

#include <algorithm>
#include <array>

#include "packet/checksum.h"
#include "packet/tcp_udp.h"

namespace weft {
namespace {

constexpr std::uint8_t protocol_igmp = 2;

namespace igmp {
constexpr std::uint8_t query = 0x11;
constexpr std::uint8_t report_v1 = 0x12;
constexpr std::uint8_t report_v2 = 0x16;
constexpr std::uint8_t leave = 0x17;
constexpr std::uint8_t report_v3 = 0x22;
constexpr std::size_t min_size = 8;
constexpr std::size_t query_v3_size = 12;
constexpr std::uint8_t response_tenths = 10;
}  // namespace igmp

namespace mld {
constexpr std::uint8_t query = 130;
constexpr std::uint8_t report_v1 = 131;
constexpr std::uint8_t done = 132;
constexpr std::uint8_t report_v2 = 143;
constexpr std::size_t v1_size = 24;
constexpr std::size_t query_v2_size = 28;
constexpr std::uint16_t response_ms = 1000;
}  // namespace mld

// The record types of an IGMPv3 or MLDv2 report.
enum class Record : std::uint8_t { is_include = 1, is_exclude, to_include, to_exclude, allow, block };
constexpr std::size_t records_at = 8;

// Queries of IGMPv3 and MLDv2 carry these two values (RFC 3376, 4.1; RFC 3810, 5.1).
constexpr std::uint8_t robustness = 2;
constexpr std::uint8_t query_interval_s = 60;

bool is_zero(const std::byte* from, std::size_t size) noexcept {
  return std::all_of(from, from + size, [](std::byte byte) { return byte == std::byte{0}; });
}

// Returns the message behind the IP headers, or nothing if there is none.
ConstBytes message_of(ConstBytes frame, const Layers& layers) noexcept {
  if (layers.network_offset == 0) return {};
  const bool tagged = load16(frame.data() + 12) != layers.ethertype;
  const std::uint8_t protocol = layers.ipv4() ? protocol_igmp : protocol_icmp6;
  const bool is_message = (layers.ipv4() || layers.ipv6()) && layers.protocol == protocol && !tagged &&
                          !layers.fragment && layers.transport_offset != 0;
  if (!is_message || layers.network_end - layers.transport_offset < igmp::min_size) return {};
  return frame.subspan(layers.transport_offset, layers.network_end - layers.transport_offset);
}

IpAddress group_at(const std::byte* at, bool ipv4) noexcept {
  return ipv4 ? IpAddress::ipv4(at) : IpAddress::ipv6(at);
}

void read_record(Record type, const IpAddress& group, std::size_t sources, GroupReportSink& sink) noexcept {
  switch (type) {
    case Record::is_exclude:
    case Record::to_exclude:
    case Record::allow:
      return sink.wanted(group);
    case Record::is_include:
    case Record::to_include:
      return sources > 0 ? sink.wanted(group) : sink.left(group);
    case Record::block:
      return;
  }
}

void read_records(ConstBytes message, bool ipv4, GroupReportSink& sink) noexcept {
  const std::size_t address_size = ipv4 ? 4 : 16;
  const std::size_t fixed = 4 + address_size;
  unsigned count = load16(message.data() + 6);
  for (ConstBytes rest = message.subspan(records_at); count > 0 && rest.size() >= fixed; --count) {
    const std::size_t sources = load16(rest.data() + 2);
    const std::size_t size = fixed + sources * address_size + std::size_t{load8(rest.data() + 1)} * 4;
    if (size > rest.size()) return;
    read_record(static_cast<Record>(load8(rest.data())), group_at(rest.data() + 4, ipv4), sources, sink);
    rest = rest.subspan(size);
  }
}

std::size_t build_igmp(const IpAddress& group, const MacAddress& from, Bytes out) noexcept {
  constexpr std::size_t header = ipv4::min_header + 4;  // the header includes the router alert option
  const bool general = is_zero(group.ipv4_bytes(), 4);
  std::byte* at = out.data();
  constexpr std::array all_hosts{std::byte{224}, std::byte{0}, std::byte{0}, std::byte{1}};
  const std::byte* to = general ? all_hosts.data() : group.ipv4_bytes();
  store16(at, 0x0100);
  store8(at + 2, 0x5e);
  std::memcpy(at + 3, to + 1, 3);
  store8(at + 3, load8(at + 3) & 0x7f);
  std::memcpy(at + 6, from.data(), from.size());
  store16(at + 12, ethertype_ipv4);
  std::byte* ip = at + ethernet_header_size;
  std::memset(ip, 0, header + igmp::query_v3_size);
  store8(ip, 0x46);
  store16(ip + ipv4::total_length, header + igmp::query_v3_size);
  store8(ip + ipv4::time_to_live, 1);
  store8(ip + ipv4::protocol, protocol_igmp);
  std::memcpy(ip + ipv4::destination, to, 4);
  store32(ip + ipv4::min_header, 0x94040000);  // router alert, RFC 2113
  store16(ip + ipv4::checksum, checksum_finish(checksum_add({ip, header})));
  std::byte* message = ip + header;
  store8(message, igmp::query);
  store8(message + 1, igmp::response_tenths);
  std::memcpy(message + 4, group.ipv4_bytes(), 4);
  store8(message + 8, robustness);
  store8(message + 9, query_interval_s);
  store16(message + 2, checksum_finish(checksum_add({message, igmp::query_v3_size})));
  return ethernet_header_size + header + igmp::query_v3_size;
}

std::size_t build_mld(const IpAddress& group, const MacAddress& from, Bytes out) noexcept {
  constexpr std::size_t option = 8;  // hop-by-hop with router alert
  const bool general = is_zero(group.bytes().data(), 16);
  std::array<std::byte, 16> to = group.bytes();
  if (general) {
    to[0] = std::byte{0xff};
    to[1] = std::byte{0x02};
    to[15] = std::byte{1};
  }
  std::byte* at = out.data();
  store16(at, 0x3333);
  std::memcpy(at + 2, &to[12], 4);
  std::memcpy(at + 6, from.data(), from.size());
  store16(at + 12, ethertype_ipv6);
  std::byte* ip = at + ethernet_header_size;
  std::memset(ip, 0, ipv6::header + option + mld::query_v2_size);
  store8(ip, 0x60);
  store16(ip + ipv6::payload_length, option + mld::query_v2_size);
  store8(ip + ipv6::hop_limit, 1);
  store16(ip + ipv6::source, 0xfe80);
  std::memcpy(ip + ipv6::source + 10, from.data(), from.size());
  std::memcpy(ip + ipv6::destination, to.data(), to.size());
  store32(ip + ipv6::header, 0x3a000502);  // ICMPv6 follows; router alert, RFC 2711
  store32(ip + ipv6::header + 4, 0x00000100);
  std::byte* message = ip + ipv6::header + option;
  store8(message, mld::query);
  store16(message + 4, mld::response_ms);
  std::memcpy(message + 8, group.bytes().data(), 16);
  store8(message + 24, robustness);
  store8(message + 25, query_interval_s);
  const std::uint64_t pseudo = checksum_add({ip + ipv6::source, 32}, protocol_icmp6 + mld::query_v2_size);
  store16(message + 2, checksum_finish(checksum_add({message, mld::query_v2_size}, pseudo)));
  return ethernet_header_size + ipv6::header + option + mld::query_v2_size;
}

}  // namespace

GroupMessageKind group_message(ConstBytes frame, const Layers& layers) noexcept {
  const ConstBytes message = message_of(frame, layers);
  if (message.empty()) return {};
  const std::uint8_t type = load8(message.data());
  const std::byte* ip = frame.data() + layers.network_offset;
  if (layers.ipv4()) {
    // A query from the unspecified address comes from a snooping switch and not from a router (RFC 4541).
    if (type == igmp::query) return {GroupMessage::query, !is_zero(ip + ipv4::source, 4)};
    const bool report =
        type == igmp::report_v1 || type == igmp::report_v2 || type == igmp::report_v3 || type == igmp::leave;
    return {report ? GroupMessage::report : GroupMessage::none};
  }
  if (type == mld::query) return {GroupMessage::query, true};
  const bool report = type == mld::report_v1 || type == mld::report_v2 || type == mld::done;
  return {report ? GroupMessage::report : GroupMessage::none};
}

void read_group_reports(ConstBytes frame, const Layers& layers, GroupReportSink& sink) noexcept {
  const ConstBytes message = message_of(frame, layers);
  if (message.empty()) return;
  const std::uint8_t type = load8(message.data());
  if (layers.ipv4()) {
    if (type == igmp::report_v3) return read_records(message, true, sink);
    const IpAddress group = IpAddress::ipv4(message.data() + 4);
    if (type == igmp::leave) sink.left(group);
    if (type == igmp::report_v1 || type == igmp::report_v2) sink.wanted(group);
    return;
  }
  if (type == mld::report_v2) return read_records(message, false, sink);
  if (message.size() < mld::v1_size) return;
  const IpAddress group = IpAddress::ipv6(message.data() + 8);
  if (type == mld::done) sink.left(group);
  if (type == mld::report_v1) sink.wanted(group);
}

bool is_reported(const IpAddress& group) noexcept {
  if (group.is_ipv4()) {
    const std::uint32_t number = load32(group.ipv4_bytes());
    return number >> 28 == 0xe && number >> 8 != 0xe00000;
  }
  constexpr std::uint8_t link_scope = 2;
  const std::byte* at = group.bytes().data();
  return load8(at) == 0xff && (load8(at + 1) & 0x0f) > link_scope;
}

std::optional<IpAddress> reported_group(ConstBytes frame, const Layers& layers) noexcept {
  if (!layers.ipv4() && !layers.ipv6()) return std::nullopt;
  const std::byte* ip = frame.data() + layers.network_offset;
  const IpAddress group =
      layers.ipv4() ? IpAddress::ipv4(ip + ipv4::destination) : IpAddress::ipv6(ip + ipv6::destination);
  return is_reported(group) ? std::optional(group) : std::nullopt;
}

std::size_t build_group_query(const IpAddress& group, const MacAddress& from, Bytes out) noexcept {
  return group.is_ipv4() ? build_igmp(group, from, out) : build_mld(group, from, out);
}

}  // namespace weft
