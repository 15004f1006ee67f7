#include <doctest/doctest.h>

#include <algorithm>

#include "base/bytes.h"
#include "trio.h"

namespace weft::test {
namespace {

TEST_CASE("the groups that are wanted on a host are told, and that they are no longer") {
  Pair pair;
  pair.a.run("ip addr add 10.32.0.1/24 dev tap0");
  const auto told = [&](const std::string& group) {
    const Json networks = pair.a.control().ok({{"op", "groups"}})["networks"];
    const Json& groups = networks[0]["groups"];
    return groups.is_array() && std::find(groups.begin(), groups.end(), group) != groups.end();
  };
  {
    const Process member({"socat", "-u", "UDP4-RECV:5000,ip-add-membership=239.1.2.3:tap0", "OPEN:/dev/null"},
                         pair.a.network_namespace());
    const Process member6(
        {"socat", "-u", "UDP6-RECV:5001,ipv6-join-group=[ff15::1234]:tap0", "OPEN:/dev/null"},
        pair.a.network_namespace());
    eventually(
        "both groups are told", [&] { return told("239.1.2.3") && told("ff15::1234"); }, 20s);
  }
  eventually(
      "they are not wanted any more", [&] { return !told("239.1.2.3") && !told("ff15::1234"); }, 20s);
}

TEST_CASE("reports of membership go to routers only, questions to everybody") {
  Trio hosts;
  hosts.a.run("ip addr add 10.32.0.1/24 dev tap0");
  hosts.a.control().ok(
      {{"op", "peer.groups"}, {"network", 0}, {"peer", hosts.b.id()}, {"groups", Json::array()}});
  hosts.a.control().ok(
      {{"op", "peer.groups"}, {"network", 0}, {"peer", hosts.c.id()}, {"groups", {"0.0.0.0"}}});
  constexpr std::size_t protocol = 14 + 9;
  const auto hears_igmp = [](const Tap& tap) {
    while (const auto frame = tap.receive(500ms))
      if (load8(&(*frame)[protocol]) == 2 && load8(&(*frame)[14 + 24]) != 0x11) return true;
    return false;
  };
  const Tap at_b(hosts.b.network_namespace(), "tap0", ipv4_ethertype);
  const Tap at_c(hosts.c.network_namespace(), "tap0", ipv4_ethertype);
  const Process member({"socat", "-u", "UDP4-RECV:5000,ip-add-membership=239.1.2.3:tap0", "OPEN:/dev/null"},
                       hosts.a.network_namespace());
  CHECK(hears_igmp(at_c));
  CHECK_FALSE(hears_igmp(at_b));
}

}  // namespace
}  // namespace weft::test
