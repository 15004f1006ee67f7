#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "lab.h"

namespace weft::test {
namespace {

constexpr std::array ciphers{"xsalsa20-poly1305", "chacha20-poly1305", "aes-256-gcm"};

void check_arrives(Host& from, Host& to, const std::vector<std::byte>& frame) {
  from.tap().send(frame);
  const auto got = to.tap().receive();
  REQUIRE_MESSAGE(got.has_value(), "a frame of " << frame.size() << " bytes did not arrive");
  CHECK(*got == frame);
}

// Sends `total` bytes over TCP from inside one host to inside the other; true if the same bytes came out.
bool tcp_transfer(const Host& from, const Host& to, const char* address, std::uint16_t port,
                  std::size_t total) {
  std::atomic<int> listener{-1};
  std::size_t received = 0;
  bool equal = true;
  std::jthread server([&] {
    to.inside([&] {
      const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      sockaddr_in any{};
      any.sin_family = AF_INET;
      any.sin_port = htons(port);
      if (::bind(fd, reinterpret_cast<sockaddr*>(&any), sizeof any) != 0 || ::listen(fd, 1) != 0) return;
      listener = fd;
      const Fd connection(::accept(fd, nullptr, nullptr));
      std::vector<unsigned char> buffer(1 << 16);
      for (;;) {
        const ssize_t size = ::read(connection.get(), buffer.data(), buffer.size());
        if (size <= 0) break;
        for (ssize_t i = 0; i < size; ++i)
          equal = equal && buffer[static_cast<std::size_t>(i)] ==
                               static_cast<unsigned char>(
                                   (received + static_cast<std::size_t>(i)) * 2654435761U >> 13);
        received += static_cast<std::size_t>(size);
      }
    });
  });
  eventually("the server listens", [&] { return listener >= 0; });
  from.inside([&] {
    const Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in to_address{};
    to_address.sin_family = AF_INET;
    to_address.sin_port = htons(port);
    ::inet_pton(AF_INET, address, &to_address.sin_addr);
    const int timeout_ms = 20'000;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof timeout_ms);
    if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&to_address), sizeof to_address) != 0) return;
    std::vector<unsigned char> buffer(1 << 18);
    for (std::size_t at = 0; at < total;) {
      const std::size_t size = std::min(buffer.size(), total - at);
      for (std::size_t i = 0; i < size; ++i)
        buffer[i] = static_cast<unsigned char>((at + i) * 2654435761U >> 13);
      for (std::size_t done = 0; done < size;) {
        const ssize_t sent = ::write(fd.get(), buffer.data() + done, size - done);
        if (sent <= 0) return;
        done += static_cast<std::size_t>(sent);
      }
      at += size;
    }
  });
  ::shutdown(listener, SHUT_RDWR);
  server.join();
  ::close(listener);
  return equal && received == total;
}

void give_addresses(Pair& pair) {
  pair.a.run("ip addr add 10.32.0.1/24 dev tap0");
  pair.b.run("ip addr add 10.32.0.2/24 dev tap0");
}

TEST_CASE("frames of all sizes cross both ways, with each cipher") {
  for (const char* cipher : ciphers) {
    CAPTURE(cipher);
    Pair pair(cipher);
    for (std::size_t size = 14; size <= 1432; size += size < 80 ? 1 : 97) {
      check_arrives(pair.a, pair.b, make_frame(mac_b, mac_a, size, 1));
      check_arrives(pair.b, pair.a, make_frame(mac_a, mac_b, size, 2));
    }
    check_arrives(pair.a, pair.b, make_frame(mac_b, mac_a, 1432, 3));
    CHECK(pair.b.counter("dropped_bad_tag") == 0);
  }
}

TEST_CASE("TCP both ways at once travels in superframes, with each cipher") {
  for (const char* cipher : ciphers) {
    CAPTURE(cipher);
    Pair pair(cipher);
    give_addresses(pair);
    constexpr std::size_t total = 64 << 20;
    bool there = false, back = false;
    std::jthread one([&] { there = tcp_transfer(pair.a, pair.b, "10.32.0.2", 5001, total); });
    back = tcp_transfer(pair.b, pair.a, "10.32.0.1", 5002, total);
    one.join();
    CHECK(there);
    CHECK(back);
    CHECK(pair.a.counter("superframes_in") > 0);
    CHECK(pair.a.counter("superframes_out") > 0);
    // Superframes cross the wire whole: many datagrams a call.
    CHECK(pair.a.counter("udp_sent_datagrams") > 4 * pair.a.counter("udp_sent_batches"));
    CHECK(pair.b.counter("udp_received_datagrams") > 4 * pair.b.counter("udp_received_batches"));
  }
}

TEST_CASE("each offload can be missing") {
  for (const char* offload : {"tap-csum", "tap-tso", "tap-uso", "udp-gso", "udp-gro"}) {
    CAPTURE(offload);
    Pair pair("aes-256-gcm", {"--no-offload", offload});
    give_addresses(pair);
    CHECK(tcp_transfer(pair.a, pair.b, "10.32.0.2", 5001, 8 << 20));
  }
}

TEST_CASE("offloads can be switched while traffic flows") {
  Pair pair;
  give_addresses(pair);
  std::atomic<bool> done{false};
  bool whole = false;
  std::jthread transfer([&] {
    whole = tcp_transfer(pair.a, pair.b, "10.32.0.2", 5001, 256 << 20);
    done = true;
  });
  for (bool on = false; !done; on = !on)
    for (const char* offload : {"tap-csum", "tap-tso", "tap-uso", "udp-gso", "udp-gro"})
      for (Host* host : {&pair.a, &pair.b})
        host->control().ok({{"op", "offload.set"}, {"name", offload}, {"enabled", on}});
  transfer.join();
  CHECK(whole);
}

TEST_CASE("broadcast, multicast and unknown destinations reach every peer; a known one only its own") {
  Host a("00000000000000aa"), b("00000000000000bb"), c("00000000000000cc");
  connect(a, b, "ab", "192.0.2.1/24", "192.0.2.2/24");
  connect(a, c, "ac", "198.51.100.1/24", "198.51.100.2/24");
  for (Host* host : {&a, &b, &c})
    host->start();
  introduce(a, b, {"192.0.2.1:6783"}, {"192.0.2.2:6783"});
  introduce(a, c, {"198.51.100.1:6783"}, {"198.51.100.2:6783"}, "chacha20-poly1305");
  await_up(a, b);
  await_up(a, c);
  for (const char* destination : {broadcast, "01:00:5e:00:00:fb", "33:33:00:00:00:01", mac_b}) {
    CAPTURE(destination);
    const auto frame = make_frame(destination, mac_a, 300);
    a.tap().send(frame);
    CHECK(b.tap().receive() == frame);
    CHECK(c.tap().receive() == frame);
  }
  check_arrives(b, a, make_frame(mac_a, mac_b, 100));
  a.tap().send(make_frame(mac_b, mac_a, 200));
  CHECK(b.tap().receive().has_value());
  CHECK_FALSE(c.tap().receive(200ms).has_value());
  const Json macs = a.control().ok({{"op", "macs"}})["macs"];
  const auto owner = [&](const std::string& mac) -> Json {
    for (const Json& entry : macs)
      if (entry["mac"] == mac) return entry["peer"];
    return "unknown";
  };
  CHECK(owner(mac_a) == nullptr);
  CHECK(owner(mac_b) == b.id());
}

TEST_CASE("link-local control frames are not carried") {
  Pair pair;
  pair.a.tap().send(make_frame("01:80:c2:00:00:00", mac_a, 100));
  eventually("it is counted", [&] { return pair.a.counter("dropped_stp") >= 1; });
  CHECK_FALSE(pair.b.tap().receive(200ms).has_value());
}

TEST_CASE("a frame too big for the path is cut to pieces and put together") {
  Pair pair("aes-256-gcm", {}, 1500, 65'000);
  for (const std::size_t size : {1433UL, 1434UL, 2000UL, 9014UL, 64'000UL}) {
    CAPTURE(size);
    check_arrives(pair.a, pair.b, make_frame(mac_b, mac_a, size, 5));
    check_arrives(pair.b, pair.a, make_frame(mac_a, mac_b, size, 6));
  }
  CHECK(pair.b.counter("frames_reassembled") == 5);
}

TEST_CASE("a sender that forbids fragmentation is told what fits") {
  Pair pair("aes-256-gcm", {}, 1300, 1418);
  give_addresses(pair);
  pair.a.run("ip addr add fd32::1/64 dev tap0 nodad");
  pair.b.run("ip addr add fd32::2/64 dev tap0 nodad");
  // The first is answered with an error, which the kernel learns from.
  pair.a.run(
      "ping -c 1 -W 1 -M do -s 1300 10.32.0.2 >/dev/null; ip route get 10.32.0.2 | grep -q 'mtu 1218'");
  CHECK(pair.a.counter("ptb_sent") >= 1);
  pair.a.run("ping -c 1 -W 2 -s 1300 10.32.0.2 >/dev/null");
  // IPv6 is never told less than 1280; what is longer than the path and not longer than that is cut.
  pair.a.run(
      "ping -c 2 -i 0.2 -W 2 -s 1300 fd32::2 >/dev/null; ip -6 route get fd32::2 | grep -q 'mtu 1280'");
  pair.a.run("ping -c 1 -W 2 -s 1300 fd32::2 >/dev/null");
  CHECK(pair.a.counter("fragments_sent") >= 2);
}

TEST_CASE("a packet too big for the containers over there is made of fragments that they take") {
  Pair pair("aes-256-gcm", {}, 9000, 8918);
  give_addresses(pair);
  pair.b.run("ip link set tap0 mtu 1400");
  pair.b.control().ok({{"op", "network.mtu"}, {"network", 0}, {"mtu", 1400}});
  pair.a.control().ok({{"op", "peer.set"},
                       {"peer", pair.b.id()},
                       {"endpoints", {"192.0.2.2:6783"}},
                       {"networks", {0}},
                       {"mtu", 1400}});
  // The answer is as long, but its sender's own MTU cuts it.
  pair.a.run("ping -c 1 -W 2 -M dont -s 5000 10.32.0.2 >/dev/null");
  CHECK(pair.a.counter("ip_fragments_sent") >= 4);
  pair.a.run(
      "ping -c 1 -W 1 -M do -s 5000 10.32.0.2 >/dev/null; ip route get 10.32.0.2 | grep -q 'mtu 1400'");
  CHECK(tcp_transfer(pair.a, pair.b, "10.32.0.2", 5001, 16 << 20));
}

TEST_CASE("TCP finds its segment size on a path smaller than the overlay") {
  Pair pair("aes-256-gcm", {}, 1300, 1418);
  give_addresses(pair);
  CHECK(tcp_transfer(pair.a, pair.b, "10.32.0.2", 5001, 16 << 20));
  CHECK(pair.a.counter("mss_clamped") + pair.b.counter("mss_clamped") >= 1);
  CHECK(pair.a.counter("fragments_sent") == 0);
}

TEST_CASE("changing the key as fast as can be loses nothing") {
  Pair pair;
  give_addresses(pair);
  constexpr unsigned frames = 2000;
  const std::vector<std::string> losses{"dropped_unknown_key", "dropped_bad_tag", "dropped_replay",
                                        "dropped_no_key"};
  // Both kernels have said something before there was a key.
  std::vector<std::uint64_t> before;
  for (const std::string& counter : losses)
    before.push_back(pair.b.counter(counter));
  std::atomic<bool> done{false};
  bool whole = false;
  std::jthread load([&] { whole = tcp_transfer(pair.a, pair.b, "10.32.0.2", 5001, 256 << 20); });
  std::jthread counted([&] {
    for (unsigned i = 0; i < frames; ++i) {
      auto frame = make_frame(mac_b, mac_a, 200);
      store32(frame.data() + 14, i);
      pair.a.tap().send(frame);
      std::this_thread::sleep_for(1ms);
    }
    done = true;
  });
  unsigned keys = 0;
  for (bool swap = false; !done; swap = !swap, ++keys) {
    give_key(swap ? pair.b : pair.a, swap ? pair.a : pair.b, ciphers[keys % ciphers.size()]);
    std::this_thread::sleep_for(100ms);
  }
  std::vector<bool> seen(frames);
  for (unsigned i = 0; i < frames; ++i) {
    const auto frame = pair.b.tap().receive();
    REQUIRE_MESSAGE(frame.has_value(), "lost after " << i << " of " << frames);
    seen[load32(frame->data() + 14)] = true;
  }
  CHECK(std::count(seen.begin(), seen.end(), true) == frames);
  counted.join();
  load.join();
  CHECK(whole);
  CHECK(keys >= 10);
  for (std::size_t i = 0; i < losses.size(); ++i) {
    CAPTURE(losses[i]);
    CHECK(pair.b.counter(losses[i]) == before[i]);
  }
}

TEST_CASE("the responder seals with a key once the initiator used it") {
  Pair pair;
  give_key(pair.a, pair.b, "chacha20-poly1305");
  pair.b.control().event("key-confirmed", [&](const Json& event) {
    return event["localIndex"] == pair.b.peer(pair.a.id())["keys"].back()["localIndex"];
  });
  eventually("the newest key seals",
             [&] { return pair.b.peer(pair.a.id())["keys"].back()["sealing"] == true; });
}

TEST_CASE("a MAC address that moves is followed and told") {
  Pair pair;
  check_arrives(pair.a, pair.b, make_frame(broadcast, mac_a, 100));
  // The same address, now on the other host.
  check_arrives(pair.b, pair.a, make_frame(broadcast, mac_a, 100));
  const Json event = pair.a.control().event("mac-moved", [](const Json& e) { return e["mac"] == mac_a; });
  CHECK(event["from"] == nullptr);
  CHECK(event["to"] == pair.b.id());
  check_arrives(pair.a, pair.b, make_frame(mac_a, "02:00:00:00:00:77", 100));
}

TEST_CASE("a TAP that is deleted is told, and a new one takes its place") {
  Pair pair;
  pair.a.run("ip link del tap0");
  CHECK(pair.a.control().event("tap-lost")["network"] == 0);
  Process open_tap({forwarder_binary(), "open-tap", "--control", pair.a.control_path(), "--network", "0",
                    "--name", "tap1", "--queues", "2"},
                   pair.a.network_namespace());
  REQUIRE(open_tap.wait() == 0);
  pair.a.run("ip link set tap1 mtu 1418 up");
  const Tap tap(pair.a.network_namespace(), "tap1");
  const auto frame = make_frame(broadcast, mac_b, 500);
  pair.b.tap().send(frame);
  CHECK(tap.receive() == frame);
}

TEST_CASE("networks do not see each other") {
  Pair pair;
  Process open_tap({forwarder_binary(), "open-tap", "--control", pair.b.control_path(), "--network", "7",
                    "--name", "tap7", "--queues", "2"},
                   pair.b.network_namespace());
  REQUIRE(open_tap.wait() == 0);
  pair.b.run("ip link set tap7 up");
  const Tap tap(pair.b.network_namespace(), "tap7");
  check_arrives(pair.a, pair.b, make_frame(broadcast, mac_a, 100));
  CHECK_FALSE(tap.receive(200ms).has_value());
}

TEST_CASE("the tunnel runs over link-local addresses") {
  Host a("00000000000000aa");
  Host b("00000000000000bb");
  connect(a, b, "eth0", "fe80::1/64", "fe80::2/64");
  a.start();
  b.start();
  introduce(a, b, {"[fe80::1%eth0]:6783"}, {"[fe80::2%eth0]:6783"});
  await_up(a, b);
  CHECK(a.peer(b.id())["endpoint"] == "[fe80::2%eth0]:6783");
  check_arrives(a, b, make_frame(mac_b, mac_a, 1000));
}

TEST_CASE("the tunnel runs over IPv6, and over IPv4 alone where there is no IPv6") {
  {
    Host a("00000000000000aa"), b("00000000000000bb");
    connect(a, b, "eth0", "2001:db8::1/64", "2001:db8::2/64");
    a.start();
    b.start();
    introduce(a, b, {"[2001:db8::1]:6783"}, {"[2001:db8::2]:6783"});
    await_up(a, b);
    eventually("the path MTU is known", [&] { return a.peer(b.id())["pathMtu"] == 1500; });
    check_arrives(a, b, make_frame(mac_b, mac_a, 1412));
    CHECK(a.peer(b.id())["observed"] == "[2001:db8::1]:6783");
  }
  Host a("00000000000000aa"), b("00000000000000bb");
  for (const Host* host : {&a, &b})
    host->run(
        "sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1 "
        "net.ipv6.conf.lo.disable_ipv6=1");
  connect(a, b, "eth0", "192.0.2.1/24", "192.0.2.2/24");
  a.start();
  b.start();
  introduce(a, b, {"192.0.2.1:6783"}, {"192.0.2.2:6783"});
  await_up(a, b);
  check_arrives(a, b, make_frame(mac_b, mac_a, 600));
}

}  // namespace
}  // namespace weft::test
