#include <doctest/doctest.h>

#include "frames.h"
#include "packet/checksum.h"
#include "packet/messages/group_report.h"
#include "switch/groups/group_table.h"
#include "switch/groups/local_groups.h"
#include "switch/groups/new_groups.h"

namespace weft {
namespace {

using test::Buffer;

constexpr Micros second = microseconds_per_second;
constexpr MacAddress router{std::byte{2}, std::byte{0}, std::byte{0},
                            std::byte{0}, std::byte{0}, std::byte{9}};

IpAddress ip(const char* text) {
  return IpAddress::parse(text).value();
}

void put_words(Buffer& frame, std::initializer_list<int> values) {
  for (const int value : values) {
    frame.resize(frame.size() + 2);
    store16(frame.data() + frame.size() - 2, static_cast<std::uint16_t>(value));
  }
}
void put_ip(Buffer& frame, const char* text) {
  const IpAddress address = ip(text);
  frame.insert(frame.end(), address.bytes().begin() + (address.is_ipv4() ? 12 : 0), address.bytes().end());
}

/// IGMP from 10.32.0.1, with the router alert option.
Buffer igmp(const Buffer& message) {
  Buffer frame;
  const auto total = static_cast<int>(24 + message.size());
  put_words(frame, {0x0100, 0x5e00, 0x0016, 0x0200, 0, 1, 0x0800, 0x4600, total, 0, 0, 0x0102, 0});
  put_ip(frame, "10.32.0.1");
  put_ip(frame, "224.0.0.22");
  put_words(frame, {0x9404, 0});
  frame.insert(frame.end(), message.begin(), message.end());
  return frame;
}

/// MLD from fe80::1, behind a hop-by-hop header with the router alert option.
Buffer mld(const Buffer& message) {
  Buffer frame;
  const auto payload = static_cast<int>(8 + message.size());
  put_words(frame, {0x3333, 0, 0x0016, 0x0200, 0, 1, 0x86dd, 0x6000, 0, payload, 0x0001});
  put_ip(frame, "fe80::1");
  put_ip(frame, "ff02::16");
  put_words(frame, {0x3a00, 0x0502, 0, 0x0100});
  frame.insert(frame.end(), message.begin(), message.end());
  return frame;
}

struct Heard final : GroupReportSink {
  std::vector<std::string> said;
  explicit Heard(const Buffer& frame) { read_group_reports(frame, parse_frame(frame), *this); }
  void wanted(const IpAddress& group) noexcept override { said.push_back("+" + group.text()); }
  void left(const IpAddress& group) noexcept override { said.push_back("-" + group.text()); }
};

Buffer v2(int type, const char* group) {
  Buffer message;
  put_words(message, {type << 8, 0});
  put_ip(message, group);
  return message;
}

Buffer v3(int type, std::initializer_list<std::pair<int, const char*>> records, int sources) {
  Buffer message;
  put_words(message, {type << 8, 0, 0, static_cast<int>(records.size())});
  for (const auto& [kind, group] : records) {
    put_words(message, {kind << 8, sources});
    put_ip(message, group);
    for (int i = 0; i < sources; ++i)
      put_ip(message, ip(group).is_ipv4() ? "10.32.0.9" : "fd00::9");
  }
  return message;
}

Buffer v1_mld(int type, const char* group) {
  Buffer message;
  put_words(message, {type << 8, 0, 0, 0});
  put_ip(message, group);
  return message;
}

using Said = std::vector<std::string>;

TEST_CASE("reports of all versions are read") {
  CHECK(Heard(igmp(v2(0x12, "239.1.2.3"))).said == Said{"+239.1.2.3"});
  CHECK(Heard(igmp(v2(0x16, "239.1.2.3"))).said == Said{"+239.1.2.3"});
  CHECK(Heard(igmp(v2(0x17, "239.1.2.3"))).said == Said{"-239.1.2.3"});
  CHECK(Heard(mld(v1_mld(131, "ff15::1"))).said == Said{"+ff15::1"});
  CHECK(Heard(mld(v1_mld(132, "ff15::1"))).said == Said{"-ff15::1"});
  const auto v4 = {std::pair{2, "239.0.0.2"}, {4, "239.0.0.4"}, {1, "239.0.0.1"}, {3, "239.0.0.3"}};
  CHECK(Heard(igmp(v3(0x22, v4, 0))).said == Said{"+239.0.0.2", "+239.0.0.4", "-239.0.0.1", "-239.0.0.3"});
  CHECK(Heard(igmp(v3(0x22, v4, 2))).said == Said{"+239.0.0.2", "+239.0.0.4", "+239.0.0.1", "+239.0.0.3"});
  const auto v6 = {std::pair{5, "ff15::5"}, {6, "ff15::6"}, {3, "ff15::3"}};
  CHECK(Heard(mld(v3(143, v6, 1))).said == Said{"+ff15::5", "+ff15::3"});
}

TEST_CASE("what is cut short or promises more than it has is read as far as it goes") {
  const Buffer whole = igmp(v3(0x22, {{2, "239.0.0.1"}, {2, "239.0.0.2"}}, 0));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    Buffer cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    if (size >= 18) store16(&cut[16], static_cast<std::uint16_t>(size - 14));
    CHECK(Heard(cut).said.size() <= (size < 54 ? 1 : 2));
  }
  Buffer many = whole;
  store16(&many[38 + 6], 60'000);
  CHECK(Heard(many).said.size() == 2);
}

TEST_CASE("queries are told from reports, and those of routers from those of switches") {
  const auto kind = [](const Buffer& frame) { return group_message(frame, parse_frame(frame)); };
  CHECK(kind(igmp(v2(0x16, "239.1.2.3"))).kind == GroupMessage::report);
  CHECK(kind(igmp(v2(0x11, "0.0.0.0"))).kind == GroupMessage::query);
  CHECK(kind(igmp(v2(0x11, "0.0.0.0"))).from_router);
  Buffer of_switch = igmp(v2(0x11, "0.0.0.0"));
  store32(&of_switch[26], 0);
  CHECK(kind(of_switch).kind == GroupMessage::query);
  CHECK_FALSE(kind(of_switch).from_router);
  CHECK(kind(mld(v1_mld(130, "::"))).from_router);
  CHECK(kind(test::make_frame({})).kind == GroupMessage::none);
  Buffer tagged = igmp(v2(0x16, "239.1.2.3"));
  tagged.insert(tagged.begin() + 12, {std::byte{0x81}, std::byte{0}, std::byte{0}, std::byte{5}});
  CHECK(kind(tagged).kind == GroupMessage::none);
}

TEST_CASE("groups of the link are nobody's in particular") {
  for (const char* group : {"239.1.2.3", "224.0.1.1", "ff05::1", "ff15::1234", "ff0e::fb"})
    CHECK(is_reported(ip(group)));
  for (const char* group :
       {"224.0.0.1", "224.0.0.251", "10.32.0.1", "ff02::1", "ff01::1", "ff02::1:ff00:1", "fd00::1"})
    CHECK_FALSE(is_reported(ip(group)));
}

TEST_CASE("the questions are well formed") {
  for (const char* group : {"0.0.0.0", "::", "239.1.2.3", "ff15::1"}) {
    CAPTURE(group);
    Buffer out(max_group_query);
    out.resize(build_group_query(ip(group), router, out));
    const Layers layers = parse_frame(out);
    CHECK(layers.network_end == out.size());
    CHECK(is_group(destination_mac(out)));
    CHECK(source_mac(out) == router);
    CHECK(group_message(out, layers).kind == GroupMessage::query);
    CHECK(Heard(out).said.empty());
    CHECK(test::ip_checksum_right(out));
    const ConstBytes message = ConstBytes(out).subspan(layers.transport_offset);
    const auto size = static_cast<std::uint32_t>(message.size());
    CHECK(checksum_finish(checksum_add(message, layers.ipv6() ? pseudo_header_sum(out, layers, size) : 0)) ==
          0);
  }
}

TEST_CASE("a group is wanted until nobody says so any more") {
  LocalGroups groups;
  CHECK(groups.wanted(ip("239.1.2.3"), second));
  CHECK_FALSE(groups.wanted(ip("239.1.2.3"), 2 * second));
  CHECK(groups.current(100 * second) == std::vector{ip("239.1.2.3")});
  CHECK(groups.current(2 * second + LocalGroups::lifetime).empty());

  groups.wanted(ip("239.1.2.3"), 200 * second);
  CHECK(groups.left(ip("239.1.2.3"), 201 * second));
  CHECK_FALSE(groups.left(ip("239.1.2.4"), 201 * second));
  CHECK_FALSE(groups.current(202 * second).empty());
  CHECK(groups.current(201 * second + LocalGroups::last_call).empty());
  groups.wanted(ip("239.1.2.3"), 300 * second);
  groups.left(ip("239.1.2.3"), 301 * second);
  groups.wanted(ip("239.1.2.3"), 302 * second);
  CHECK_FALSE(groups.current(310 * second).empty());
}

TEST_CASE("more groups than can be told are told as all") {
  LocalGroups groups;
  for (std::uint32_t i = 0; i < 5000; ++i) {
    std::byte group[4];
    store32(group, 0xef000000 + i);
    groups.wanted(IpAddress::ipv4(group), second);
  }
  CHECK(groups.current(second) == std::vector{all_ipv6_groups(), all_ipv4_groups()});
}

TEST_CASE("frames of a group go to who wants it, to routers, and to those of whom nothing is known") {
  const GroupTable table(std::vector<GroupMember>{{1, std::vector{ip("239.1.2.3"), ip("ff15::1")}},
                                                  {2, std::vector<IpAddress>{}},
                                                  {3, std::nullopt},
                                                  {4, std::vector{ip("0.0.0.0")}}});
  const auto wanting = [&](const char* group) {
    const auto slots = table.wanting(ip(group));
    std::vector<MacOwner> sorted(slots.begin(), slots.end());
    std::sort(sorted.begin(), sorted.end());
    return sorted;
  };
  CHECK(wanting("239.1.2.3") == std::vector<MacOwner>{1, 3, 4});
  CHECK(wanting("239.9.9.9") == std::vector<MacOwner>{3, 4});
  CHECK(wanting("ff15::1") == std::vector<MacOwner>{1, 3});
  CHECK(wanting("ff15::2") == std::vector<MacOwner>{3});
}

TEST_CASE("a peer whose groups do not fit in any more gets all multicast frames") {
  std::vector<GroupMember> members;
  std::uint32_t next = 0xef000000;
  for (MacOwner slot = 0; slot <= GroupTable::capacity / 256; ++slot) {
    members.push_back({slot, std::vector<IpAddress>{}});
    for (int i = 0; i < 256; ++i) {
      std::byte group[4];
      store32(group, next++);
      members.back().groups->push_back(IpAddress::ipv4(group));
    }
  }
  const GroupTable table(members);
  const auto wanting = [&](const IpAddress& group) {
    const auto slots = table.wanting(group);
    return std::vector<MacOwner>(slots.begin(), slots.end());
  };
  const MacOwner last = members.back().slot;
  CHECK(wanting(members.front().groups->front()) == std::vector<MacOwner>{last, 0});
  CHECK(wanting(members.back().groups->front()) == std::vector<MacOwner>{last});
  CHECK(wanting(ip("239.255.255.255")) == std::vector<MacOwner>{last});
}

TEST_CASE("a group is new for a while, and again after a long silence") {
  NewGroups groups;
  const SegmentAddress group{0, ip("239.1.2.3")};
  CHECK(groups.is_new(group, 100 * second));
  CHECK(groups.is_new(group, 102 * second));
  CHECK_FALSE(groups.is_new(group, 103 * second));
  CHECK_FALSE(groups.is_new(group, 120 * second));
  CHECK(groups.is_new(group, 150 * second));
  CHECK_FALSE(groups.is_new(group, 153 * second));
  CHECK(groups.is_new({1, group.address}, 153 * second));
}

}  // namespace
}  // namespace weft
