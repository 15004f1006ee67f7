#include <doctest/doctest.h>

#include "packet/address/subnet.h"

namespace weft {
namespace {

bool in(const char* subnet, const char* address) {
  return Subnet::parse(subnet).value().contains(IpAddress::parse(address).value().bytes());
}

TEST_CASE("a subnet contains the addresses that begin with its bits, and those of its family only") {
  CHECK(in("10.0.0.0/8", "10.255.255.255"));
  CHECK_FALSE(in("10.0.0.0/8", "11.0.0.0"));
  CHECK(in("192.168.1.128/25", "192.168.1.128"));
  CHECK_FALSE(in("192.168.1.128/25", "192.168.1.127"));
  CHECK(in("192.0.2.7/32", "192.0.2.7"));
  CHECK_FALSE(in("192.0.2.7/32", "192.0.2.6"));
  CHECK(in("2001:db8::/33", "2001:db8:7fff::1"));
  CHECK_FALSE(in("2001:db8::/33", "2001:db8:8000::1"));
  CHECK_FALSE(in("fe80::/10", "10.0.0.1"));
  CHECK_FALSE(in("0.0.0.0/0", "2001:db8::1"));
}

TEST_CASE("the text of a subnet comes back, and what is none is refused") {
  for (const char* text : {"10.0.0.0/8", "192.0.2.7/32", "0.0.0.0/0", "2001:db8::/33", "::/0"})
    CHECK(Subnet::parse(text).value().text() == text);
  for (const char* text :
       {"", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0/8", "::/129", "::/-1", "::/1x", "/8"})
    CHECK_FALSE(Subnet::parse(text));
}

}  // namespace
}  // namespace weft
