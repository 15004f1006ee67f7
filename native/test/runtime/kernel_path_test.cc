/// Kernel paths between real forwarders, over real VXLAN devices.
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <csignal>
#include <string>

#include "lab.h"

namespace weft::test {
namespace {

constexpr const char* station_a = "02:00:00:00:aa:aa";
constexpr const char* station_b = "02:00:00:00:bb:bb";
constexpr unsigned mtu = 1418;
// A bridge takes the frames of its ports before whoever reads one EtherType.
constexpr std::uint16_t all_ethertypes = 3;

/// Gives a host a VXLAN device to another on a bridge, as a daemon would. `station` is that of the other.
void make_device(Host& host, const std::string& own, const std::string& other, const std::string& station) {
  host.run("ip link show segment >/dev/null 2>&1 || ip link add name segment address " +
           std::string(station == station_b ? station_a : station_b) + " type bridge");
  host.run("ip link set segment up && ip link add vx type vxlan id 1 local " + own +
           " dstport 6784 nolearning df set && ip link set vx mtu " + std::to_string(mtu) +
           " master segment up && bridge fdb replace " + station + " dev vx dst " + other + " self");
}

int open_device(Host& host) {
  Process helper({forwarder_binary(), "open-kernel-path", "--control", host.control_path(), "--network", "0",
                  "--name", "vx"},
                 host.network_namespace());
  return helper.wait();
}

void set_path(Host& host, const Host& peer, const std::string& mac, const std::string& source,
              unsigned path_mtu = mtu) {
  host.control().ok({{"op", "kernel-path.set"},
                     {"network", 0},
                     {"peer", peer.id()},
                     {"mac", mac},
                     {"source", source},
                     {"mtu", path_mtu}});
}

Json state_of(Host& host) {
  const Json paths = host.control().ok({{"op", "dump"}})["kernelPaths"];
  REQUIRE(paths.size() == 1);
  return paths[0];
}

void await_change(Host& host, bool up, std::chrono::milliseconds timeout = 10s) {
  host.control().event(
      "kernel-path", [&](const Json& event) { return event["up"] == up; }, timeout);
}

void block(const Host& host, unsigned port) {
  host.run(
      "nft add table inet cut && "
      "nft add chain inet cut in '{ type filter hook input priority 0; }' && "
      "nft add rule inet cut in udp dport " +
      std::to_string(port) + " drop");
}

void unblock(const Host& host) {
  host.run("nft delete table inet cut");
}

/// Two hosts with a kernel path between them.
struct KernelPair {
  Host a{"00000000000000aa"};
  Host b{"00000000000000bb"};

  explicit KernelPair(unsigned wire_mtu = 1500, const std::string& cipher = "aes-256-gcm") {
    connect(a, b, "eth0", "192.0.2.1/24", "192.0.2.2/24", wire_mtu);
    make_device(a, "192.0.2.1", "192.0.2.2", station_b);
    make_device(b, "192.0.2.2", "192.0.2.1", station_a);
    for (Host* host : {&a, &b}) {
      host->start({}, 1);
      REQUIRE(open_device(*host) == 0);
    }
    introduce(a, b, {"192.0.2.1:6783"}, {"192.0.2.2:6783"}, cipher);
    set_path(a, b, station_b, station_a);
    set_path(b, a, station_a, station_b);
  }
  void await_up() {
    await_change(a, true);
    await_change(b, true);
  }
};

TEST_CASE("a kernel path is proven by full frames, told, and watched while it is used") {
  KernelPair hosts;
  const Tap device(hosts.b.network_namespace(), "vx", all_ethertypes);
  hosts.await_up();
  const auto frame = device.receive();
  REQUIRE(frame.has_value());
  CHECK(frame->size() == 14 + mtu);
  CHECK(load8(frame->data() + 22) == 1);  // sealed
  const Json state = state_of(hosts.a);
  CHECK(state["network"] == 0);
  CHECK(state["peer"] == hosts.b.id());
  CHECK(state["rtt"].get<int>() > 0);
  CHECK(state["problem"].is_null());
  CHECK(hosts.a.control().ok({{"op", "dump"}})["networks"][0]["kernelPath"] == "vx");

  // Cut in one direction only, which both ends notice.
  block(hosts.b, 6784);
  const auto cut = std::chrono::steady_clock::now();
  await_change(hosts.a, false);
  CHECK(std::chrono::steady_clock::now() - cut < 700ms);
  await_change(hosts.b, false);
  CHECK(std::chrono::steady_clock::now() - cut < 700ms);
  CHECK(hosts.a.peer(hosts.b.id())["up"] == true);
  unblock(hosts.b);
  await_change(hosts.a, true, 2s);
  await_change(hosts.b, true, 2s);
}

TEST_CASE("a device that is deleted or goes down takes its kernel paths with it at once") {
  KernelPair hosts;
  for (const char* command : {"ip link set vx down", "ip link delete vx"}) {
    hosts.await_up();
    hosts.a.run(command);
    hosts.a.control().event("kernel-path-lost", nullptr, 200ms);
    await_change(hosts.a, false, 200ms);
    CHECK(state_of(hosts.a)["problem"] == "no-device");
    CHECK(hosts.a.control().ok({{"op", "dump"}})["networks"][0]["kernelPath"].is_null());
    await_change(hosts.b, false);
    CHECK(open_device(hosts.a) != 0);
    if (std::string(command) == "ip link set vx down")
      hosts.a.run("ip link set vx up");
    else
      make_device(hosts.a, "192.0.2.1", "192.0.2.2", station_b);
    REQUIRE(open_device(hosts.a) == 0);
  }
  hosts.await_up();
}

TEST_CASE("full frames that the wire or the device does not carry keep a kernel path down") {
  KernelPair hosts(1467);  // one byte less than frame and headers need
  eventually("probes leave", [&] { return state_of(hosts.a)["probes"].get<int>() > 5; });
  CHECK(state_of(hosts.a)["answers"] == 0);
  set_path(hosts.a, hosts.b, station_b, station_a, mtu - 1);
  set_path(hosts.b, hosts.a, station_a, station_b, mtu - 1);
  hosts.await_up();
  hosts.a.run("ip link set vx mtu 1300");
  await_change(hosts.a, false);
  eventually("it is said why", [&] { return state_of(hosts.a)["problem"] == "too-big"; });
}

TEST_CASE("a kernel path outlasts new keys, and needs one") {
  KernelPair hosts(1500, "chacha20-poly1305");
  hosts.await_up();
  for (const char* cipher : {"aes-256-gcm", "xsalsa20-poly1305"}) {
    give_key(hosts.a, hosts.b, cipher);
    give_key(hosts.b, hosts.a, cipher);
  }
  const auto answers = state_of(hosts.a)["answers"].get<int>();
  eventually("it is still answered", [&] { return state_of(hosts.a)["answers"].get<int>() > answers + 5; });
  CHECK(state_of(hosts.a)["up"] == true);
  CHECK(state_of(hosts.b)["up"] == true);
  const Json keys = hosts.a.peer(hosts.b.id())["keys"];
  for (const Json& key : keys)
    hosts.a.control().ok({{"op", "key.remove"}, {"localIndex", key["localIndex"]}});
  await_change(hosts.a, false);
  CHECK(state_of(hosts.a)["problem"] == "no-key");
}

TEST_CASE("a forwarder that pauses does not blame the path, and who wants no kernel path answers none") {
  KernelPair hosts;
  hosts.await_up();
  hosts.a.process().signal(SIGSTOP);
  await_change(hosts.b, false);
  hosts.a.process().signal(SIGCONT);
  await_change(hosts.b, true);
  CHECK(state_of(hosts.a)["up"] == true);
  hosts.b.control().ok({{"op", "kernel-path.remove"}, {"network", 0}, {"peer", hosts.a.id()}});
  await_change(hosts.a, false);
  CHECK(hosts.b.counter("dropped_kernel_probe") > 0);
  set_path(hosts.b, hosts.a, station_a, station_b);
  hosts.await_up();
  hosts.b.control().ok({{"op", "kernel-path.close"}, {"network", 0}});
  await_change(hosts.a, false);
  CHECK(hosts.b.control().ok({{"op", "dump"}})["kernelPaths"].empty());
}

void send_garbage(KernelPair& hosts) {
  const Tap a(hosts.a.network_namespace(), "vx");
  const Tap b(hosts.b.network_namespace(), "vx", all_ethertypes);
  const auto received_frame = b.receive();
  REQUIRE(received_frame.has_value());
  const std::vector<std::byte> captured = *received_frame;
  const auto replays = hosts.b.counter("dropped_replay");
  const auto unknown = hosts.b.counter("dropped_unknown_key");
  const auto received = hosts.b.counter("kernel_probes_received");
  const auto answers = state_of(hosts.b)["answers"].get<std::uint64_t>();
  for (int i = 0; i < 20; ++i)
    a.send(captured);
  eventually("replays are refused", [&] { return hosts.b.counter("dropped_replay") >= replays + 20; });
  // Of another key, or none; damaged; of a type that is not allowed here; short; of another EtherType.
  for (unsigned i = 0; i < 10'000; ++i) {
    auto garbage = captured;
    if (i % 5 == 0) store32(garbage.data() + 26, i + 1000);
    if (i % 5 == 1) garbage[100 + i % 1000] ^= std::byte{1};
    if (i % 5 == 2) garbage[22] = std::byte{3};
    if (i % 5 == 3) garbage.resize(14 + i % 60);
    if (i % 5 == 4) store16(garbage.data() + 12, 0x88b6);
    a.send(garbage);
    // What is sent faster than it is read only fills a buffer.
    if (i % 100 == 0) hosts.b.control().ok({{"op", "stats"}});
  }
  eventually("they are refused", [&] { return hosts.b.counter("dropped_unknown_key") > unknown; });
  eventually("probes are still answered",
             [&] { return state_of(hosts.b)["answers"].get<std::uint64_t>() > answers + 3; });
  CHECK(hosts.b.counter("kernel_probes_received") > received);
  CHECK(state_of(hosts.a)["up"] == true);
  CHECK(state_of(hosts.b)["up"] == true);
}

/// What came before the block was not kept from its receiver.
void forget_received(const Tap& wire) {
  while (wire.receive(5ms)) {
  }
}

/// What one of a's datagrams to a port of b carries, seen on the wire before b can refuse it. b's own go to
/// the same port, and those that seek the path MTU would not fit the device.
std::vector<std::byte> on_the_wire(const Tap& wire, std::uint16_t port, std::size_t most) {
  constexpr std::size_t headers = 14 + 20 + 8;
  constexpr std::uint32_t address_of_b = 0xc000'0202;
  for (;;) {
    const auto frame = wire.receive();
    REQUIRE(frame.has_value());
    const std::byte* const header = frame->data();
    const bool is_of_a = load8(header + 23) == IPPROTO_UDP && load32(header + 30) == address_of_b;
    if (is_of_a && load16(header + 36) == port && frame->size() <= headers + most)
      return {frame->begin() + headers, frame->end()};
  }
}

void move_probes(KernelPair& hosts) {
  const Tap device(hosts.a.network_namespace(), "vx");
  const Tap wire(hosts.b.network_namespace(), "eth0", ipv4_ethertype);
  const std::string endpoint = hosts.b.peer(hosts.a.id())["endpoint"];

  block(hosts.b, 6784);
  await_change(hosts.b, false);
  forget_received(wire);
  constexpr std::size_t vxlan_and_probe_headers = 8 + 22;
  std::vector<std::byte> packet = on_the_wire(wire, 6784, 1500);
  packet.erase(packet.begin(), packet.begin() + vxlan_and_probe_headers);
  const auto kinds = hosts.b.counter("dropped_inner_kind");
  ::send(udp_to(hosts.a, "192.0.2.2").get(), packet.data(), packet.size(), 0);
  eventually("the one moved to UDP is refused",
             [&] { return hosts.b.counter("dropped_inner_kind") == kinds + 1; });
  CHECK(hosts.b.peer(hosts.a.id())["endpoint"] == endpoint);
  unblock(hosts.b);

  block(hosts.b, 6783);
  forget_received(wire);
  packet = on_the_wire(wire, 6783, 1000);
  auto frame = make_frame(station_b, station_a, 22);
  store64(frame.data() + 14, 0x77656674'6b726e6c);
  frame.insert(frame.end(), packet.begin(), packet.end());
  const auto refused = hosts.b.counter("dropped_kernel_probe");
  device.send(frame);
  eventually("the one moved to the kernel path is refused",
             [&] { return hosts.b.counter("dropped_kernel_probe") == refused + 1; });
}

TEST_CASE("what strangers send over the wire, or move to another way than its own, changes nothing") {
  KernelPair hosts;
  hosts.await_up();
  send_garbage(hosts);
  move_probes(hosts);
}

}  // namespace
}  // namespace weft::test
