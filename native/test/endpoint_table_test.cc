#include "switch/endpoint_table.h"

#include <doctest/doctest.h>

namespace weft {
namespace {

constexpr MacAddress one{std::byte{2}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{1}};
constexpr MacAddress two{std::byte{2}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{2}};

IpAddress ip(const char* text) {
  return IpAddress::parse(text).value();
}

TEST_CASE("announced MACs and addresses are found in their own network") {
  const EndpointTable table(std::vector<AnnouncedEndpoint>{{0, one, 7, {ip("10.32.0.1"), ip("fd00::1")}},
                                                           {1, one, 8, {}},
                                                           {0, two, local_owner, {ip("10.32.0.2")}}});
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
  const EndpointTable table(
      std::vector<AnnouncedEndpoint>{{0, one, 7, {ip("10.32.0.1")}}, {0, two, 7, {ip("10.32.0.1")}}});
  CHECK_FALSE(table.neighbour(0, ip("10.32.0.1")).has_value());
  CHECK(table.owner(0, one) == 7);
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
