#include "offload/self_test.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cstring>
#include <thread>
#include <vector>

#include "base/failure.h"
#include "base/fd.h"
#include "io/device/tap.h"
#include "io/udp_socket.h"

namespace weft {
namespace {

constexpr int answer_timeout_ms = 200;

struct LoopbackPair {
  UdpSocket sender;
  UdpSocket receiver;
  sockaddr_storage to{};
  socklen_t to_length = 0;
};

Fd loopback_socket() {
  Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (!fd || ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw Failure::from_errno("the loopback device cannot be used");
  return fd;
}

LoopbackPair make_pair() {
  LoopbackPair pair{{loopback_socket(), AF_INET}, {loopback_socket(), AF_INET}};
  pair.to_length = sizeof pair.to;
  if (::getsockname(pair.receiver.fd(), reinterpret_cast<sockaddr*>(&pair.to), &pair.to_length) != 0)
    throw Failure::from_errno("the loopback device cannot be used");
  return pair;
}

// Sends `count` numbered datagrams in one call; true if they came out whole, in at most `max_batches`
// receives.
bool passes(const LoopbackPair& pair, std::size_t count, std::size_t size, std::size_t max_batches) {
  std::vector<std::byte> payload(count * size - 1);
  for (std::size_t i = 0; i < payload.size(); ++i)
    payload[i] = static_cast<std::byte>(i / size * 31 + i);
  if (pair.sender.send(pair.to, pair.to_length, {}, payload, size) != 0) return false;
  std::vector<std::byte> got(65'536);
  std::size_t at = 0;
  std::size_t batches = 0;
  while (at < payload.size()) {
    pollfd wait{pair.receiver.fd(), POLLIN, 0};
    Received received;
    if (::poll(&wait, 1, answer_timeout_ms) != 1 || pair.receiver.receive(got, received) != 0) return false;
    if (received.segment_size != std::min(size, received.size) || at + received.size > payload.size())
      return false;
    if (!std::equal(got.begin(), got.begin() + static_cast<std::ptrdiff_t>(received.size),
                    payload.begin() + static_cast<std::ptrdiff_t>(at)))
      return false;
    at += received.size;
    ++batches;
  }
  return batches <= max_batches;
}

void test_segmentation(const LoopbackPair& pair, OffloadReport& report) {
  constexpr std::size_t size = 1200;
  constexpr std::size_t count = 8;
  const bool gso = passes(pair, count, size, count);
  report.found(Offload::udp_gso, gso, gso ? "tested" : "a segmented send did not arrive whole");
  if (!pair.receiver.set_gro(true)) {
    report.unavailable(Offload::udp_gro, "the kernel refused UDP_GRO");
    return;
  }
  // Without segmented sends there is nothing to test it with; then the kernel's word must do.
  const bool gro = !gso || passes(pair, count, size, 1);
  report.found(Offload::udp_gro, gro, gro ? "tested" : "segments did not arrive together");
  constexpr std::size_t more_segments = 128;
  constexpr std::size_t tiny = 64;
  if (gso && passes(pair, more_segments, tiny, more_segments)) report.set_max_segments(more_segments);
}

// One queue of a TAP that goes when it is closed.
Fd temporary_tap() {
  Fd fd(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!fd) throw Failure::from_errno("cannot open /dev/net/tun");
  ifreq request{};
  request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE;
  std::memcpy(request.ifr_name, "weft-test", 10);
  if (::ioctl(fd.get(), TUNSETIFF, &request) != 0) throw Failure::from_errno("cannot make a TAP");
  return fd;
}

void test_tap(OffloadReport& report) {
  if (::unshare(CLONE_NEWNET) != 0) throw Failure::from_errno("cannot make a network namespace");
  const Fd tap = temporary_tap();
  const auto note = [&](Offload offload, TapOffloads wanted) {
    const bool works = set_tap_offloads(tap.get(), wanted);
    report.found(offload, works, works ? "tested" : "the kernel refused it");
  };
  note(Offload::tap_csum, {true, false, false});
  note(Offload::tap_tso, {true, true, false});
  note(Offload::tap_uso, {true, true, true});
}

}  // namespace

void OffloadReport::found(Offload offload, bool available, std::string reason) {
  entries_[static_cast<std::size_t>(offload)] = {available, std::move(reason)};
}

nlohmann::json OffloadReport::to_json(const Switches& switches) const {
  nlohmann::json list = nlohmann::json::array();
  for (const Offload offload : all_offloads)
    list.push_back({{"name", offload_name(offload)},
                    {"available", available(offload)},
                    {"enabled", switches.on(offload)},
                    {"reason", reason(offload)}});
  return list;
}

OffloadReport test_udp_offloads() {
  OffloadReport report;
  for (const Offload offload : {Offload::tap_csum, Offload::tap_tso, Offload::tap_uso})
    report.found(offload, true, "tested when a TAP is there");
  try {
    test_segmentation(make_pair(), report);
  } catch (const Failure& failure) {
    // Loopback may be down in a fresh network namespace. A send that fails switches the offload off later.
    for (const Offload offload : {Offload::udp_gso, Offload::udp_gro})
      report.found(offload, true, std::string("not tested: ") + failure.what());
  }
  return report;
}

OffloadReport test_all_offloads() {
  OffloadReport report = test_udp_offloads();
  std::string problem;
  // A thread of its own, because a network namespace belongs to a thread and this one's must stay.
  std::thread([&] {
    try {
      test_tap(report);
    } catch (const Failure& failure) {
      problem = failure.what();
    }
  }).join();
  if (!problem.empty())
    for (const Offload offload : {Offload::tap_csum, Offload::tap_tso, Offload::tap_uso})
      report.found(offload, true, "not tested: " + problem);
  return report;
}

}  // namespace weft
