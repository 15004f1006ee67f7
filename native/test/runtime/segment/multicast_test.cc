#include <doctest/doctest.h>

#include "base/bytes.h"
#include "trio.h"

namespace weft::test {
namespace {

// Pings a group from a host and tells whether the other one got it.
bool gets_group(const Host& from, const Host& to, const std::string& group) {
  const Tap heard(to.network_namespace(), "tap0", ipv4_ethertype);
  from.run("ping -q -c 1 -W 1 -I tap0 " + group + " > /dev/null 2>&1 || true");
  constexpr std::size_t destination = 14 + 16;
  while (const auto frame = heard.receive(200ms))
    if (load8(&(*frame)[destination]) == 239) return true;
  return false;
}

TEST_CASE("multicast goes to the hosts that want the group, and to those of which nothing is known") {
  Trio hosts;
  hosts.a.run("ip addr add 10.32.0.1/24 dev tap0");
  const auto groups = [&](const Host& peer, const Json& wanted) {
    hosts.a.control().ok({{"op", "peer.groups"}, {"network", 0}, {"peer", peer.id()}, {"groups", wanted}});
  };
  CHECK(gets_group(hosts.a, hosts.b, "239.1.2.3"));
  CHECK(gets_group(hosts.a, hosts.c, "239.1.2.3"));
  groups(hosts.b, {"239.1.2.3"});
  groups(hosts.c, Json::array());
  CHECK(gets_group(hosts.a, hosts.b, "239.1.2.3"));
  // What has just begun goes to everybody for a while.
  eventually("nobody gets what he does not want", [&] {
    return !gets_group(hosts.a, hosts.c, "239.1.2.3") && !gets_group(hosts.a, hosts.b, "239.9.9.9");
  });
  groups(hosts.c, {"0.0.0.0"});
  CHECK(gets_group(hosts.a, hosts.c, "239.1.2.3"));
  groups(hosts.b, nullptr);
  CHECK(gets_group(hosts.a, hosts.b, "239.9.9.9"));
  // What is no group of a host's choice goes to everybody.
  groups(hosts.c, Json::array());
  const auto frame = make_frame("01:00:5e:01:02:03", mac_a, 100);
  hosts.a.tap().send(frame);
  CHECK(hosts.b.tap().receive() == frame);
  CHECK(hosts.c.tap().receive() == frame);
}

}  // namespace
}  // namespace weft::test
