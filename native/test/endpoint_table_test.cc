#include "switch/endpoint_table.h"

#include <doctest/doctest.h>

#include <chrono>

#include "switch/announced_endpoints.h"

namespace weft {
namespace {

constexpr MacAddress one{std::byte{2}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{1}};
constexpr MacAddress two{std::byte{2}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{2}};

IpAddress ip(const char* text) {
  return IpAddress::parse(text).value();
}

/// The i-th of many endpoints, with an address of its own.
AnnouncedEndpoint numbered(std::uint32_t i) {
  MacAddress mac{std::byte{2}};
  store32(&mac[2], i);
  std::array<std::byte, 16> address{std::byte{0xfd}};
  store32(&address[12], i);
  return {0, mac, 7, {IpAddress::ipv6(address.data())}};
}

std::chrono::nanoseconds time_of(const auto& action) {
  const auto begin = std::chrono::steady_clock::now();
  action();
  return std::chrono::steady_clock::now() - begin;
}

TEST_CASE("announced MACs and addresses are found in their own network") {
  AnnouncedEndpoints announced;
  announced.put({0, one, 7, {ip("10.32.0.1"), ip("fd00::1")}});
  announced.put({1, one, 8, {}});
  announced.put({0, two, local_owner, {ip("10.32.0.2")}});
  const EndpointTable table = *announced.table();
  CHECK(table.owner(0, one) == 7);
  CHECK(table.owner(1, one) == 8);
  CHECK(table.owner(0, two) == local_owner);
  CHECK_FALSE(table.owner(1, two).has_value());
  CHECK(table.neighbour(0, ip("10.32.0.1")) == EndpointTable::Neighbour{one, 7});
  CHECK(table.neighbour(0, ip("fd00::1")) == EndpointTable::Neighbour{one, 7});
  CHECK_FALSE(table.neighbour(1, ip("10.32.0.1")).has_value());
  CHECK_FALSE(table.neighbour(0, ip("10.32.0.3")).has_value());
}

TEST_CASE("an address that two announce is nobody's for certain") {
  AnnouncedEndpoints announced;
  announced.put({0, one, 7, {ip("10.32.0.1")}});
  announced.put({0, two, 7, {ip("10.32.0.1")}});
  CHECK_FALSE(announced.table()->neighbour(0, ip("10.32.0.1")).has_value());
  CHECK(announced.table()->owner(0, one) == 7);
  announced.remove(0, two);
  CHECK(announced.table()->neighbour(0, ip("10.32.0.1")) == EndpointTable::Neighbour{one, 7});
  CHECK_FALSE(announced.table()->owner(0, two).has_value());
}

TEST_CASE("what is announced anew takes the place of what was") {
  AnnouncedEndpoints announced;
  announced.put({0, one, 7, {ip("10.32.0.1"), ip("10.32.0.2")}});
  const auto before = announced.table();
  announced.put({0, one, 8, {ip("10.32.0.2"), ip("10.32.0.3")}});
  const auto after = announced.table();
  CHECK(after->owner(0, one) == 8);
  CHECK_FALSE(after->neighbour(0, ip("10.32.0.1")).has_value());
  CHECK(after->neighbour(0, ip("10.32.0.2")) == EndpointTable::Neighbour{one, 8});
  CHECK(after->neighbour(0, ip("10.32.0.3")) == EndpointTable::Neighbour{one, 8});
  CHECK(before->owner(0, one) == 7);
  CHECK(before->neighbour(0, ip("10.32.0.1")) == EndpointTable::Neighbour{one, 7});
}

TEST_CASE("what a member announces makes a change of somebody else's no dearer than a small part of it") {
  constexpr std::uint32_t many = 40'000;
  AnnouncedEndpoints announced;
  for (std::uint32_t i = 0; i < many; ++i)
    announced.put(numbered(i));
  const auto whole = time_of([&] { (void)announced.table(); });
  auto change = whole;
  for (std::uint32_t i = 0; i < 20; ++i) {
    announced.put(numbered(many + i));
    change = std::min(change, time_of([&] { (void)announced.table(); }));
  }
  CHECK(change < whole / 10);
  CHECK(announced.table()->owner(0, numbered(many).mac) == 7);
  CHECK(announced.table()->neighbour(0, numbered(0).addresses[0]).has_value());
}

TEST_CASE("an empty table knows nobody") {
  const EndpointTable table;
  CHECK_FALSE(table.owner(0, one).has_value());
  CHECK_FALSE(table.neighbour(0, ip("10.32.0.1")).has_value());
}

TEST_CASE("addresses are read and written") {
  CHECK(ip("10.1.2.3").text() == "10.1.2.3");
  CHECK(ip("10.1.2.3").is_ipv4());
  CHECK(ip("fd00::1").text() == "fd00::1");
  CHECK_FALSE(ip("::").is_ipv4());
  for (const char* text : {"", "10.1.2", "10.1.2.3/8", "fd00::g", "host"})
    CHECK_FALSE(IpAddress::parse(text).has_value());
}

}  // namespace
}  // namespace weft
