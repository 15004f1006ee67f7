#include "switch/forwarding.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "frames.h"
#include "switch/announced_endpoints.h"
#include "switch/resolver.h"

namespace weft {
namespace {

using test::Buffer;
using Action = Decision::Action;

constexpr Micros second = microseconds_per_second;

constexpr MacAddress mac(unsigned last) {
  return {std::byte{2}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte(last)};
}
constexpr MacAddress broadcast{std::byte{0xff}, std::byte{0xff}, std::byte{0xff},
                               std::byte{0xff}, std::byte{0xff}, std::byte{0xff}};
constexpr MacAddress here = mac(1);       // announced as attached to this host
constexpr MacAddress elsewhere = mac(2);  // announced by the peer in slot 3
constexpr MacAddress stranger = mac(9);   // announced by nobody
constexpr PeerId router = 77;
constexpr MacOwner peer = 3;
constexpr MacOwner other_peer = 5;

IpAddress ip(const char* text) {
  return IpAddress::parse(text).value();
}

void put(Buffer& frame, const MacAddress& address) {
  frame.insert(frame.end(), address.begin(), address.end());
}
void put_words(Buffer& frame, std::initializer_list<int> values) {
  for (const int value : values) {
    frame.resize(frame.size() + 2);
    store16(frame.data() + frame.size() - 2, static_cast<std::uint16_t>(value));
  }
}
void put_ip(Buffer& frame, const char* text) {
  const IpAddress address = ip(text);
  frame.insert(frame.end(), address.bytes().begin() + 12, address.bytes().end());
}

/// A frame that says nothing to anybody but its destination.
Buffer plain(const MacAddress& to, const MacAddress& from) {
  Buffer frame;
  put(frame, to);
  put(frame, from);
  put_words(frame, {0x88b5});
  frame.resize(60);
  return frame;
}

Buffer arp_request(const MacAddress& from, const char* own, const char* target) {
  Buffer frame;
  put(frame, broadcast);
  put(frame, from);
  put_words(frame, {0x0806, 1, 0x0800, 0x0604, 1});
  put(frame, from);
  put_ip(frame, own);
  put(frame, {});
  put_ip(frame, target);
  return frame;
}

/// An unsolicited neighbour advertisement of an address, behind a hop-by-hop header if wished.
Buffer advertisement(const MacAddress& from, const char* target, bool with_options) {
  Buffer frame;
  put_words(frame, {0x3333, 0, 1});
  put(frame, from);
  const int length = 32 + (with_options ? 8 : 0);
  put_words(frame, {0x86dd, 0x6000, 0, length, (with_options ? 0 : 58) << 8 | 255});
  for (const char* address : {"fe80::99", "ff02::1"}) {
    const IpAddress parsed = ip(address);
    frame.insert(frame.end(), parsed.bytes().begin(), parsed.bytes().end());
  }
  if (with_options) put_words(frame, {58 << 8, 0x0104, 0, 0});
  put_words(frame, {0x8800, 0, 0x2000, 0});
  const IpAddress parsed = ip(target);
  frame.insert(frame.end(), parsed.bytes().begin(), parsed.bytes().end());
  put_words(frame, {0x0201});
  put(frame, from);
  return frame;
}

/// An IPv4 datagram to a group.
Buffer multicast(const char* group) {
  Buffer frame;
  const IpAddress address = ip(group);
  const std::byte* bytes = address.ipv4_bytes();
  put(frame, {std::byte{1}, std::byte{0}, std::byte{0x5e}, bytes[1] & std::byte{0x7f}, bytes[2], bytes[3]});
  put(frame, here);
  put_words(frame, {0x0800, 0x4500, 28, 0, 0, 0x0111, 0});
  put_ip(frame, "10.32.0.1");
  put_ip(frame, group);
  put_words(frame, {1000, 2000, 8, 0});
  return frame;
}

/// An IGMPv2 message about a group: 0x16 reports it, 0x17 leaves it.
Buffer igmp(int type, const char* group) {
  Buffer frame;
  put_words(frame, {0x0100, 0x5e00, 0x0016});
  put(frame, here);
  put_words(frame, {0x0800, 0x4600, 32, 0, 0, 0x0102, 0});
  put_ip(frame, "10.32.0.1");
  put_ip(frame, "224.0.0.22");
  put_words(frame, {0x9404, 0, type << 8, 0});
  put_ip(frame, group);
  std::uint32_t sum = 0;
  for (std::size_t at = 38; at < frame.size(); at += 2)
    sum += load16(&frame[at]);
  store16(&frame[40], static_cast<std::uint16_t>(~((sum & 0xffff) + (sum >> 16))));
  return frame;
}

/// A segment with two peers, of which one has a container, and everything that forwarding tells.
class World : public ForwardingObserver {
 public:
  World() {
    segment.number = 7;
    segment.members = {peer, other_peer};
    segment.wanted = std::make_shared<const GroupTable>(std::vector<GroupMember>{
        {peer, std::vector<IpAddress>{ip("239.1.1.1")}}, {other_peer, std::vector<IpAddress>{}}});
    segment.local_groups = std::make_shared<LocalGroups>();
  }

  Decision forward(const Buffer& frame) {
    const Layers layers = parse_frame(frame);
    return forwarding.forward({*announced, now, storm_limit, router}, segment, frame, layers);
  }
  std::optional<Counter> admit(const Buffer& frame, MacOwner from) {
    return forwarding.admit({*announced, now, storm_limit, router}, segment, frame, from);
  }
  [[nodiscard]] std::optional<MacOwner> learned(const MacAddress& address) const {
    return macs.lookup(segment.number, address, static_cast<std::uint32_t>(now / second));
  }

  SegmentView segment;
  Micros now = 1000 * second;
  std::uint32_t storm_limit = 0;
  MacTable macs;
  std::vector<std::string> told;

 private:
  void mac_moved(std::uint16_t, const MacAddress&, MacOwner from, MacOwner to) noexcept override {
    told.push_back("moved " + std::to_string(from) + " " + std::to_string(to));
  }
  void mac_seen(std::uint16_t, const MacAddress& address) noexcept override {
    told.push_back("seen " + std::to_string(std::to_integer<int>(address[5])));
  }
  void refused(std::uint16_t, const MacAddress&, const IpAddress& address) noexcept override {
    told.push_back("refused " + (address.empty() ? "mac" : address.text()));
  }
  void loop_probe(const LoopProbe&, MacOwner at) noexcept override {
    told.push_back("probe " + std::to_string(at));
  }
  void hail(const Hail& hail, MacOwner from) noexcept override {
    told.push_back("hail " + std::to_string(hail.number) + " of " + std::to_string(from));
  }
  void groups_changed(std::uint16_t) noexcept override { told.push_back("groups"); }
  void group_left(std::uint16_t, const IpAddress& group) noexcept override {
    told.push_back("left " + group.text());
  }
  void storm(std::uint16_t) noexcept override { told.push_back("storm"); }

  std::shared_ptr<const EndpointTable> announced = [] {
    AnnouncedEndpoints endpoints;
    endpoints.put({7, here, local_owner, {ip("10.32.0.1")}});
    endpoints.put({7, elsewhere, peer, {ip("10.32.0.2")}});
    return endpoints.table();
  }();
  Forwarding forwarding{macs, *this};
};

std::vector<MacOwner> list(std::span<const MacOwner> peers) {
  return {peers.begin(), peers.end()};
}

TEST_CASE("unicast goes to the peer that announced its destination") {
  World world;
  const Decision decision = world.forward(plain(elsewhere, here));
  CHECK(decision.action == Action::unicast);
  CHECK(decision.peer == peer);
  CHECK(!decision.counter);
}

TEST_CASE("unicast goes to the peer behind which its destination was learned, in both directions") {
  World world;
  CHECK(!world.admit(plain(here, stranger), other_peer));
  CHECK(world.learned(stranger) == other_peer);
  CHECK(world.forward(plain(stranger, here)).peer == other_peer);
  // It moves to this side.
  world.now += second;
  CHECK(world.forward(plain(elsewhere, stranger)).action == Action::unicast);
  CHECK(world.learned(stranger) == local_owner);
  CHECK(world.told == std::vector<std::string>{"seen 9", "moved 5 65535"});
  CHECK(world.forward(plain(stranger, here)).counter == Counter::dropped_local);
  // And back.
  CHECK(!world.admit(plain(here, stranger), peer));
  CHECK(world.learned(stranger) == peer);
}

TEST_CASE("what was announced counts more than what was learned") {
  World world;
  world.macs.learn(7, elsewhere, other_peer, static_cast<std::uint32_t>(world.now / second));
  CHECK(world.forward(plain(elsewhere, here)).peer == peer);
}

TEST_CASE("a MAC that was given to a container elsewhere is refused, four times a second told") {
  World world;
  for (int i = 0; i < 10; ++i)
    CHECK(world.forward(plain(broadcast, elsewhere)).counter == Counter::dropped_foreign_mac);
  CHECK(world.told == std::vector<std::string>(4, "refused mac"));
  CHECK(!world.learned(elsewhere));
  CHECK(world.admit(plain(broadcast, here), peer) == Counter::dropped_foreign_mac);
  CHECK(world.admit(plain(here, elsewhere), other_peer) == Counter::dropped_foreign_mac);
  CHECK(!world.admit(plain(here, elsewhere), peer));
}

TEST_CASE("an address that was given to a container elsewhere is not claimed here") {
  World world;
  const Decision decision = world.forward(arp_request(here, "10.32.0.2", "10.32.0.2"));
  CHECK(decision.action == Action::drop);
  CHECK(decision.counter == Counter::dropped_foreign_address);
  CHECK(world.told == std::vector<std::string>{"refused 10.32.0.2"});
}

TEST_CASE("ARP for an announced address is answered here, and for one of this host left to its container") {
  World world;
  const Decision far = world.forward(arp_request(here, "10.32.0.1", "10.32.0.2"));
  CHECK(far.action == Action::answer);
  CHECK(far.mac == elsewhere);
  const Decision near = world.forward(arp_request(stranger, "10.32.0.8", "10.32.0.1"));
  CHECK(near.action == Action::drop);
  CHECK(near.counter == Counter::neighbours_kept);
  const Decision unknown = world.forward(arp_request(here, "10.32.0.1", "10.32.0.77"));
  CHECK(unknown.counter == Counter::flooded);
}

TEST_CASE("unknown unicast and broadcast go to all members of the segment") {
  World world;
  for (const MacAddress& to : {broadcast, stranger}) {
    const Decision decision = world.forward(plain(to, here));
    CHECK(decision.action == Action::replicate);
    CHECK(decision.counter == Counter::flooded);
    CHECK(list(decision.peers) == std::vector<MacOwner>{peer, other_peer});
  }
  world.segment.members.clear();
  CHECK(world.forward(plain(broadcast, here)).counter == Counter::dropped_no_peer);
}

TEST_CASE("storm control limits flooding, but not unicast and multicast, and tells once a second") {
  World world;
  world.storm_limit = 2;
  std::size_t flooded = 0;
  for (int i = 0; i < 10; ++i)
    flooded += world.forward(plain(broadcast, here)).counter == Counter::flooded ? 1 : 0;
  CHECK(flooded == 2);
  CHECK(world.told == std::vector<std::string>{"storm"});
  CHECK(world.forward(plain(elsewhere, here)).action == Action::unicast);
  CHECK(world.forward(multicast("239.7.7.7")).counter == Counter::flooded);
  world.now += second;
  CHECK(world.forward(plain(broadcast, here)).counter == Counter::flooded);
}

TEST_CASE("multicast goes to everybody while it is new") {
  World world;
  CHECK(world.forward(multicast("239.1.1.1")).counter == Counter::flooded);
}

TEST_CASE("multicast that is not new goes to the peers that want it") {
  World world;
  (void)world.forward(multicast("239.1.1.1"));
  world.now += NewGroups::grace;
  const Decision wanted = world.forward(multicast("239.1.1.1"));
  CHECK(wanted.counter == Counter::multicast_sent);
  CHECK(list(wanted.peers) == std::vector<MacOwner>{peer});
}

TEST_CASE("multicast that is not new and that nobody wants stays here") {
  World world;
  (void)world.forward(multicast("239.2.2.2"));
  world.now += NewGroups::grace;
  const Decision unwanted = world.forward(multicast("239.2.2.2"));
  CHECK(unwanted.action == Action::drop);
  CHECK(unwanted.counter == Counter::multicast_kept);
}

TEST_CASE("reports of multicast groups are noted, and heard by multicast routers only") {
  World world;
  const Decision joined = world.forward(igmp(0x16, "239.1.1.1"));
  CHECK(joined.counter == Counter::multicast_kept);
  CHECK(world.told == std::vector<std::string>{"groups"});
  CHECK(world.segment.local_groups->current(world.now) == std::vector<IpAddress>{ip("239.1.1.1")});
  world.forward(igmp(0x17, "239.1.1.1"));
  CHECK(world.told.back() == "left 239.1.1.1");
}

TEST_CASE("a loop mutes what goes to everybody, in both directions, and nothing else") {
  World world;
  world.segment.muted = true;
  CHECK(world.forward(plain(broadcast, here)).counter == Counter::dropped_muted);
  CHECK(world.forward(multicast("239.1.1.1")).counter == Counter::dropped_muted);
  CHECK(world.admit(plain(broadcast, elsewhere), peer) == Counter::dropped_muted);
  CHECK(world.forward(plain(elsewhere, here)).action == Action::unicast);
  CHECK(!world.admit(plain(here, elsewhere), peer));
}

// A station that nobody was given.
MacAddress made_up(std::uint32_t value) {
  MacAddress mac{std::byte{2}, std::byte{0xee}};
  store32(&mac[2], value);
  return mac;
}

TEST_CASE("whoever makes up addresses fills no table, on either side, and keeps nobody else out") {
  World world;
  const auto count = [&](auto&& refused) {
    std::uint32_t passed = 0;
    for (std::uint32_t i = 0; i < 2 * Newcomers::at_once; ++i)
      passed += refused(made_up(i)) ? 0 : 1;
    return passed;
  };
  const auto from_here = [&](const MacAddress& mac) {
    return world.forward(plain(elsewhere, mac)).counter == Counter::dropped_new_mac;
  };
  const auto from_peer = [&](const MacAddress& mac) {
    return world.admit(plain(here, mac), peer) == Counter::dropped_new_mac;
  };
  CHECK(count(from_here) == Newcomers::at_once);
  // Those of containers, those of other hosts, and those that are known already go on.
  CHECK(world.forward(plain(elsewhere, here)).action == Action::unicast);
  CHECK_FALSE(from_here(made_up(0)));
  CHECK_FALSE(world.admit(plain(here, stranger), other_peer));
  CHECK_FALSE(world.admit(plain(here, elsewhere), peer));
  CHECK(count([&](const MacAddress& mac) {
          MacAddress other = mac;
          other[1] = std::byte{0xef};
          return from_peer(other);
        }) == Newcomers::at_once);
  world.now += 2 * second;
  CHECK_FALSE(from_here(made_up(10'000)));
}

TEST_CASE("new addresses come as fast as tables forget them") {
  Newcomers newcomers;
  std::uint32_t admitted = 0;
  for (std::uint32_t now_s = 1000; now_s < 1000 + MacTable::lifetime_s; ++now_s)
    for (int i = 0; i < 1000; ++i)
      admitted += newcomers.admit(1, now_s) ? 1 : 0;
  CHECK(admitted == Newcomers::at_once + Newcomers::per_second * (MacTable::lifetime_s - 1));
  CHECK(admitted <= MacTable::capacity);
}

TEST_CASE("in a loop nobody is learned to be here") {
  World world;
  world.segment.muted = true;
  CHECK(world.forward(plain(elsewhere, stranger)).action == Action::unicast);
  CHECK(!world.learned(stranger));
  CHECK(world.told.empty());
}

TEST_CASE("nobody speaks as the DNS server through the tunnel, in either direction") {
  World world;
  CHECK(world.forward(plain(broadcast, resolver_mac)).counter == Counter::dropped_foreign_mac);
  CHECK(world.admit(plain(broadcast, resolver_mac), peer) == Counter::dropped_foreign_mac);
  CHECK(!world.learned(resolver_mac));
  const Buffer claim = arp_request(elsewhere, "169.254.53.53", "10.32.0.1");
  CHECK(world.admit(claim, peer) == Counter::dropped_foreign_address);
  CHECK(!world.admit(arp_request(elsewhere, "10.32.0.2", "169.254.53.53"), peer));
  const Buffer claim_here = arp_request(here, "169.254.53.53", "10.32.0.77");
  CHECK(world.forward(claim_here).counter == Counter::dropped_foreign_address);
  CHECK(world.told == std::vector<std::string>{"refused mac", "refused 169.254.53.53"});
}

TEST_CASE("a neighbour advertisement of the DNS server is refused, whatever headers are in front of it") {
  World world;
  for (const bool with_options : {false, true})
    CHECK(world.admit(advertisement(elsewhere, "fe80::53", with_options), peer) ==
          Counter::dropped_foreign_address);
  CHECK(!world.admit(advertisement(elsewhere, "fe80::54", false), peer));
}

Buffer loop_probe(PeerId from) {
  Buffer frame(loop_probe_size);
  encode(LoopProbe{from, 7, {}}, frame);
  return frame;
}

TEST_CASE("a loop probe of this router ends here, and is told now and then, from either side") {
  World world;
  for (int i = 0; i < 10; ++i) {
    CHECK(world.forward(loop_probe(router)).action == Action::drop);
    CHECK(world.admit(loop_probe(router), peer) == Counter::loop_probes);
  }
  CHECK(world.told == std::vector<std::string>{"probe 65535"});
  world.now += second;
  CHECK(world.admit(loop_probe(router), peer) == Counter::loop_probes);
  CHECK(world.told.back() == "probe 3");
}

TEST_CASE("a loop probe of another router is given back to that one only, now and then, and tells nothing") {
  World world;
  const Decision decision = world.forward(loop_probe(42));
  CHECK(decision.action == Action::give_back);
  CHECK(decision.router == 42);
  CHECK(world.forward(loop_probe(42)).action == Action::drop);
  CHECK(world.admit(loop_probe(42), peer) == Counter::loop_probes);
  CHECK(world.told.empty());
}

Buffer hail(std::uint16_t network, std::uint32_t number) {
  Buffer frame(loop_probe_size);
  encode(Hail{42, network, number}, frame);
  return frame;
}

TEST_CASE("a hail is told with the peer that it came from, whatever it says, and reaches nobody here") {
  World world;
  CHECK(world.admit(hail(7, 5), peer) == Counter::loop_probes);
  CHECK(world.admit(hail(7, 6), other_peer) == Counter::loop_probes);
  CHECK(world.told == std::vector<std::string>{"hail 5 of " + std::to_string(peer),
                                               "hail 6 of " + std::to_string(other_peer)});
}

TEST_CASE("of a peer that hails without end few are told, and none is another's loss") {
  World world;
  for (int i = 0; i < 1000; ++i)
    CHECK(world.admit(hail(7, 5), peer) == Counter::loop_probes);
  world.admit(hail(7, 6), other_peer);
  CHECK(world.told.size() == 2);
  world.now += second;
  world.admit(hail(7, 8), peer);
  CHECK(world.told.size() == 3);
}

TEST_CASE("a hail does not count where no broadcast would get through") {
  World world;
  CHECK(world.admit(hail(8, 5), peer) == Counter::loop_probes);
  CHECK(world.forward(hail(7, 5)).action == Action::drop);
  world.segment.muted = true;
  CHECK(world.admit(hail(7, 5), peer) == Counter::dropped_muted);
  CHECK(world.told.empty());
}

TEST_CASE("a loop probe of another version goes nowhere") {
  World world;
  Buffer frame = loop_probe(42);
  frame[23] = std::byte{1};
  CHECK(world.forward(frame).action == Action::drop);
  CHECK(world.admit(frame, peer) == Counter::loop_probes);
}

TEST_CASE("link-local control frames are not carried in either direction") {
  World world;
  constexpr MacAddress bpdu{std::byte{1}, std::byte{0x80}, std::byte{0xc2}};
  CHECK(world.forward(plain(bpdu, here)).counter == Counter::dropped_stp);
  CHECK(world.admit(plain(bpdu, elsewhere), peer) == Counter::dropped_stp);
}

}  // namespace
}  // namespace weft
