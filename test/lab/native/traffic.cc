// Traffic for the lab: what a test needs to send and to judge, faster and steadier than a script could.
//
// clang-format off
//   traffic udp-send ADDRESS PORT --rate PER_SECOND --size BYTES [--count N] [--device IF]   numbered datagrams
//   traffic udp-receive PORT [--group ADDRESS --device IF]                                   judges their numbers
//   traffic stream-serve PORT BYTES | stream-connect ADDRESS PORT BYTES                      TCP, both ways at once
//   traffic frame-send IF MAC ETHERTYPE TEXT | frame-receive IF ETHERTYPE                    raw Ethernet
//   traffic flood IF RATE                                                                    frames from stdin again and again
//   traffic garbage IF RATE                                                                  the same, changed
//   traffic frames IF                                                                        raw Ethernet from stdin, hex, one a line
//   traffic capture IF FILE                                                                  what passes, as a pcap file
//   traffic hold IF IF MILLISECONDS                                                          passes frames on, later
//   traffic inject ADDRESS PORT                                                              datagrams from stdin, hex, one a line
//   traffic connections ADDRESS PORT COUNT [SOURCE...]                                       opens COUNT TCP connections and holds them
// clang-format on
//
// Every subcommand says "ready" on stderr when it is, writes one JSON object to stdout at its end, and ends
// by itself or on SIGINT.

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <iostream>
#include <map>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

std::atomic<bool> interrupted{false};

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

class Socket {
 public:
  Socket(int family, int type, int protocol = 0) : fd_{socket(family, type | SOCK_CLOEXEC, protocol)} {
    if (fd_ < 0) fail("socket");
  }
  explicit Socket(int fd) : fd_{fd} {}
  Socket(Socket&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  Socket& operator=(Socket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }
  [[nodiscard]] int fd() const { return fd_; }

  template <class T>
  void set(int level, int name, const T& value) const {
    if (setsockopt(fd_, level, name, &value, sizeof value) < 0) fail("setsockopt");
  }

 private:
  int fd_;
};

struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  [[nodiscard]] int family() const { return storage.ss_family; }
};

Address resolve(const std::string& host, const std::string& port, int type) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = type;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | (host.empty() ? AI_PASSIVE : 0);
  if (host.empty()) hints.ai_family = AF_INET6;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.empty() ? nullptr : host.c_str(), port.c_str(), &hints, &found) != 0) {
    throw std::runtime_error("not an address: " + host + " " + port);
  }
  Address address;
  std::memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
  address.length = found->ai_addrlen;
  freeaddrinfo(found);
  return address;
}

class Arguments {
 public:
  explicit Arguments(std::span<char*> argv) {
    for (std::size_t i = 0; i < argv.size(); ++i) {
      const std::string_view word = argv[i];
      if (word.starts_with("--") && i + 1 < argv.size()) {
        options_[std::string{word.substr(2)}] = argv[++i];
      } else {
        words_.emplace_back(word);
      }
    }
  }
  [[nodiscard]] const std::string& operator[](std::size_t i) const {
    if (i >= words_.size()) throw std::runtime_error("too few arguments");
    return words_[i];
  }
  [[nodiscard]] std::size_t size() const { return words_.size(); }
  [[nodiscard]] std::string option(const std::string& name, const std::string& otherwise = "") const {
    const auto found = options_.find(name);
    return found == options_.end() ? otherwise : found->second;
  }

 private:
  std::vector<std::string> words_;
  std::map<std::string, std::string> options_;
};

void ready() {
  std::cerr << "ready" << std::endl;
}

unsigned index_of(const std::string& device) {
  const unsigned index = if_nametoindex(device.c_str());
  if (index == 0) fail(device);
  return index;
}

// --- UDP
// -------------------------------------------------------------------------------------------------------------

/// What is sent without a pause, bytes. The kernel's queues between two network namespaces hold some hundred packets,
/// which all tests on this machine share: whoever was kept from running catches up step by step.
constexpr std::size_t max_burst = 48 << 10;

/// Sends datagrams that begin with their number, evenly paced; the rest of each is a repeated letter.
void udp_send(const Arguments& arguments) {
  const Address to = resolve(arguments[0], arguments[1], SOCK_DGRAM);
  const double rate = std::stod(arguments.option("rate", "1000"));
  const auto size =
      std::max<std::size_t>(std::stoul(arguments.option("size", "1000")), sizeof(std::uint64_t));
  const std::uint64_t count = std::stoull(arguments.option("count", "18446744073709551615"));
  const Socket socket{to.family(), SOCK_DGRAM};
  socket.set(SOL_SOCKET, SO_BROADCAST, 1);
  if (const std::string device = arguments.option("device"); !device.empty()) {
    const int index = static_cast<int>(index_of(device));
    if (to.family() == AF_INET6) {
      socket.set(IPPROTO_IPV6, IPV6_MULTICAST_IF, index);
    } else {
      ip_mreqn request{};
      request.imr_ifindex = index;
      socket.set(IPPROTO_IP, IP_MULTICAST_IF, request);
    }
  }
  const std::uint64_t burst = std::max<std::uint64_t>(max_burst / size, 1);
  std::vector<char> datagram(size, 'w');
  std::uint64_t sent = 0;
  ready();
  const auto start = Clock::now();
  while (sent < count && !interrupted) {
    const auto due =
        static_cast<std::uint64_t>(std::chrono::duration<double>(Clock::now() - start).count() * rate) + 1;
    const std::uint64_t end = std::min({due, count, sent + burst});
    for (; sent < end; ++sent) {
      std::memcpy(datagram.data(), &sent, sizeof sent);
      while (sendto(socket.fd(), datagram.data(), size, 0, to.get(), to.length) < 0) {
        if (errno == ECONNREFUSED) continue;
        if (errno != ENOBUFS && errno != EINTR) fail("sendto");
        std::this_thread::sleep_for(100us);
      }
    }
    std::this_thread::sleep_for(500us);
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  std::cout << "{\"sent\":" << sent << ",\"seconds\":" << seconds << "}" << std::endl;
}

/// Keeps account of numbers: which came, how often, in which order, and how long nothing came.
class Ledger {
 public:
  void note(std::uint64_t number, Clock::time_point now) {
    if (number >= seen_.size()) seen_.resize(number * 2 + 1024);
    if (seen_[number]) {
      ++duplicates_;
    } else {
      seen_[number] = true;
      ++distinct_;
    }
    if (received_ > 0) {
      if (number < highest_) ++reordered_;
      longest_ = std::max(longest_, now - last_);
    }
    highest_ = std::max(highest_, number);
    last_ = now;
    ++received_;
  }

  void print() const {
    std::cout << "{\"received\":" << received_ << ",\"distinct\":" << distinct_
              << ",\"duplicates\":" << duplicates_ << ",\"reordered\":" << reordered_
              << ",\"highest\":" << highest_
              << ",\"longestGap\":" << std::chrono::duration<double>(longest_).count() << "}" << std::endl;
  }

 private:
  std::vector<bool> seen_;
  std::uint64_t received_ = 0;
  std::uint64_t distinct_ = 0;
  std::uint64_t duplicates_ = 0;
  std::uint64_t reordered_ = 0;
  std::uint64_t highest_ = 0;
  Clock::time_point last_;
  Clock::duration longest_{};
};

void join_group(const Socket& socket, const std::string& group, unsigned device) {
  if (group.find(':') != std::string::npos) {
    ipv6_mreq request{};
    inet_pton(AF_INET6, group.c_str(), &request.ipv6mr_multiaddr);
    request.ipv6mr_interface = device;
    socket.set(IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, request);
  } else {
    ip_mreqn request{};
    inet_pton(AF_INET, group.c_str(), &request.imr_multiaddr);
    request.imr_ifindex = static_cast<int>(device);
    socket.set(IPPROTO_IP, IP_ADD_MEMBERSHIP, request);
  }
}

/// What was sent before may still be on its way when somebody asks for the result: it is told once nothing has come for
/// so long.
constexpr auto quiet = 300ms;

void udp_receive(const Arguments& arguments) {
  const Address at = resolve("", arguments[0], SOCK_DGRAM);
  const Socket socket{at.family(), SOCK_DGRAM};
  const int buffer = 64 << 20;
  if (setsockopt(socket.fd(), SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) < 0) {
    socket.set(SOL_SOCKET, SO_RCVBUF, buffer);
  }
  if (bind(socket.fd(), at.get(), at.length) < 0) fail("bind");
  if (const std::string group = arguments.option("group"); !group.empty()) {
    join_group(socket, group, index_of(arguments.option("device")));
  }
  Ledger ledger;
  std::vector<char> datagram(65536);
  ready();
  auto last = Clock::now();
  while (Clock::now() < last + quiet) {
    if (!interrupted) last = Clock::now();
    pollfd waiting{socket.fd(), POLLIN, 0};
    if (poll(&waiting, 1, 50) <= 0) continue;
    while (true) {
      const ssize_t size = recv(socket.fd(), datagram.data(), datagram.size(), MSG_DONTWAIT);
      if (size < 0) break;
      last = Clock::now();
      std::uint64_t number = 0;
      if (static_cast<std::size_t>(size) < sizeof number) continue;
      std::memcpy(&number, datagram.data(), sizeof number);
      ledger.note(number, Clock::now());
    }
  }
  ledger.print();
}

// --- TCP
// -------------------------------------------------------------------------------------------------------------

/// A reproducible stream of bytes (xorshift64*), different for each seed.
class Noise {
 public:
  explicit Noise(std::uint64_t seed) : state_{seed} {}
  void fill(std::span<std::uint64_t> words) {
    for (auto& word : words) {
      state_ ^= state_ >> 12;
      state_ ^= state_ << 25;
      state_ ^= state_ >> 27;
      word = state_ * 0x2545F4914F6CDD1DULL;
    }
  }

 private:
  std::uint64_t state_;
};

/// A checksum of a stream of bytes, independent of how it was cut (FNV-1a over little-endian words, then over
/// the rest).
class Checksum {
 public:
  void add(std::span<const char> bytes) {
    while (!bytes.empty() && held_ > 0) {
      push(bytes.front());
      bytes = bytes.subspan(1);
    }
    while (bytes.size() >= sizeof(std::uint64_t)) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes.data(), sizeof word);
      mix(word);
      bytes = bytes.subspan(sizeof word);
    }
    for (const char byte : bytes)
      push(byte);
  }
  [[nodiscard]] std::uint64_t value() const { return (sum_ ^ partial_) * prime; }

 private:
  static constexpr std::uint64_t prime = 0x100000001b3ULL;
  void mix(std::uint64_t word) {
    sum_ = (sum_ ^ word) * prime;
    sum_ ^= sum_ >> 29;
  }
  void push(char byte) {
    partial_ |= static_cast<std::uint64_t>(static_cast<unsigned char>(byte)) << (8 * held_);
    if (++held_ == sizeof(std::uint64_t)) {
      mix(partial_);
      partial_ = 0;
      held_ = 0;
    }
  }
  std::uint64_t sum_ = 0xcbf29ce484222325ULL;
  std::uint64_t partial_ = 0;
  unsigned held_ = 0;
};

constexpr std::size_t chunk_words = 32768;

/// Sends `total` bytes of noise (0: until interrupted), then shuts its direction down.
void send_noise(int fd, std::uint64_t seed, std::uint64_t total, Checksum& checksum, std::uint64_t& sent) {
  Noise noise{seed};
  std::vector<std::uint64_t> words(chunk_words);
  while (!interrupted && (total == 0 || sent < total)) {
    noise.fill(words);
    std::size_t size = words.size() * sizeof(std::uint64_t);
    if (total != 0) size = std::min<std::uint64_t>(size, total - sent);
    const std::span<const char> bytes{reinterpret_cast<const char*>(words.data()), size};
    for (std::size_t at = 0; at < bytes.size();) {
      const ssize_t written = send(fd, bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);
      if (written < 0) {
        if (errno == EINTR) continue;
        fail("send");
      }
      at += static_cast<std::size_t>(written);
    }
    checksum.add(bytes);
    sent += size;
  }
  shutdown(fd, SHUT_WR);
}

/// Sends and receives at once over a connected socket, until both directions have ended.
void exchange(const Socket& socket, std::uint64_t seed, std::uint64_t total) {
  Checksum sent_sum;
  Checksum received_sum;
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  std::string error;
  Clock::duration longest{};
  const auto start = Clock::now();
  std::thread sender{[&] {
    try {
      send_noise(socket.fd(), seed, total, sent_sum, sent);
    } catch (const std::exception& caught) {
      error = caught.what();
    }
  }};
  std::vector<char> buffer(1 << 18);
  auto last = start;
  while (true) {
    const ssize_t size = recv(socket.fd(), buffer.data(), buffer.size(), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) break;
    const auto now = Clock::now();
    longest = std::max(longest, now - last);
    last = now;
    received_sum.add({buffer.data(), static_cast<std::size_t>(size)});
    received += static_cast<std::uint64_t>(size);
  }
  sender.join();
  if (!error.empty()) throw std::runtime_error(error);
  std::printf(
      "{\"sent\":%llu,\"received\":%llu,\"sentChecksum\":\"%016llx\",\"receivedChecksum\":\"%016llx\","
      "\"seconds\":%.3f,\"longestGap\":%.3f}\n",
      static_cast<unsigned long long>(sent), static_cast<unsigned long long>(received),
      static_cast<unsigned long long>(sent_sum.value()),
      static_cast<unsigned long long>(received_sum.value()),
      std::chrono::duration<double>(Clock::now() - start).count(),
      std::chrono::duration<double>(longest).count());
}

void stream_serve(const Arguments& arguments) {
  const Address at = resolve("", arguments[0], SOCK_STREAM);
  const Socket listener{at.family(), SOCK_STREAM};
  listener.set(SOL_SOCKET, SO_REUSEADDR, 1);
  if (bind(listener.fd(), at.get(), at.length) < 0) fail("bind");
  if (listen(listener.fd(), 1) < 0) fail("listen");
  ready();
  const Socket socket{accept(listener.fd(), nullptr, nullptr)};
  if (socket.fd() < 0) fail("accept");
  exchange(socket, 0x5eed000000000001ULL, std::stoull(arguments[1]));
}

void stream_connect(const Arguments& arguments) {
  const Address to = resolve(arguments[0], arguments[1], SOCK_STREAM);
  const Socket socket{to.family(), SOCK_STREAM};
  if (connect(socket.fd(), to.get(), to.length) < 0) fail("connect");
  ready();
  exchange(socket, 0x5eed000000000002ULL, std::stoull(arguments[2]));
}

/// Opens connections from these sources in turn (none: from whichever the kernel takes).
class Opener {
 public:
  explicit Opener(const Address& to) : to_(to) {}

  void use(const std::string& source) { sources_.push_back(resolve(source, "0", SOCK_STREAM)); }

  Socket open() {
    Socket socket{to_.family(), SOCK_STREAM | SOCK_NONBLOCK};
    if (!sources_.empty()) {
      socket.set(IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
      const Address& from = sources_[opened_++ % sources_.size()];
      if (bind(socket.fd(), from.get(), from.length) < 0) fail("bind");
    }
    if (connect(socket.fd(), to_.get(), to_.length) < 0 && errno != EINPROGRESS) fail("connect");
    return socket;
  }

 private:
  Address to_;
  std::vector<Address> sources_;
  std::size_t opened_ = 0;
};

/// Opens connections without waiting for one before the next, 64 a millisecond, and holds them until interrupted.
/// What is cut off is opened again, 500 a second.
void connections(const Arguments& arguments) {
  const auto count = std::stoul(arguments[2]);
  const rlimit files{count + 64, count + 64};
  if (setrlimit(RLIMIT_NOFILE, &files) < 0) fail("setrlimit");
  Opener opener{resolve(arguments[0], arguments[1], SOCK_STREAM)};
  for (std::size_t i = 3; i < arguments.size(); ++i)
    opener.use(arguments[i]);
  std::vector<Socket> sockets;
  std::vector<pollfd> waiting;
  for (std::size_t i = 0; i < count; ++i) {
    sockets.push_back(opener.open());
    waiting.push_back({sockets.back().fd(), POLLOUT, 0});
    if (i % 64 == 63) std::this_thread::sleep_for(1ms);
  }
  std::size_t connected = 0;
  std::size_t refused = 0;
  const auto deadline = Clock::now() + 10s;
  while (connected + refused < count && Clock::now() < deadline && !interrupted) {
    if (poll(waiting.data(), waiting.size(), 100) < 0 && errno != EINTR) fail("poll");
    for (auto& one : waiting) {
      if (one.fd < 0 || one.revents == 0) continue;
      ((one.revents & POLLERR) != 0 ? refused : connected) += 1;
      one.fd = -1;
    }
  }
  ready();
  std::size_t again = 0;
  for (std::size_t i = 0; i < count; ++i)
    waiting[i] = {sockets[i].fd(), POLLRDHUP, 0};
  while (!interrupted) {
    std::this_thread::sleep_for(20ms);
    if (poll(waiting.data(), waiting.size(), 0) < 0 && errno != EINTR) fail("poll");
    int room = 10;
    for (std::size_t i = 0; i < count && room > 0; ++i) {
      if (waiting[i].revents == 0) continue;
      sockets[i] = opener.open();
      waiting[i] = {sockets[i].fd(), POLLRDHUP, 0};
      --room;
      ++again;
    }
  }
  std::cout << "{\"connected\":" << connected << ",\"refused\":" << refused << ",\"again\":" << again << "}"
            << std::endl;
}

// --- Ethernet and injection
// ------------------------------------------------------------------------------------------

void frame_send(const Arguments& arguments) {
  const Socket socket{AF_PACKET, SOCK_RAW};
  const auto ethertype = static_cast<std::uint16_t>(std::stoul(arguments[2], nullptr, 0));
  sockaddr_ll to{};
  to.sll_family = AF_PACKET;
  to.sll_ifindex = static_cast<int>(index_of(arguments[0]));
  to.sll_halen = ETH_ALEN;
  ethhdr header{};
  ifreq request{};
  arguments[0].copy(request.ifr_name, IFNAMSIZ - 1);
  if (ioctl(socket.fd(), SIOCGIFHWADDR, &request) < 0) fail("SIOCGIFHWADDR");
  std::memcpy(header.h_source, request.ifr_hwaddr.sa_data, ETH_ALEN);
  unsigned mac[ETH_ALEN];
  if (std::sscanf(arguments[1].c_str(), "%x:%x:%x:%x:%x:%x", &mac[0], &mac[1], &mac[2], &mac[3], &mac[4],
                  &mac[5]) != 6) {
    throw std::runtime_error("not a MAC: " + arguments[1]);
  }
  for (int i = 0; i < ETH_ALEN; ++i)
    header.h_dest[i] = static_cast<unsigned char>(mac[i]);
  header.h_proto = htons(ethertype);
  std::string frame{reinterpret_cast<const char*>(&header), sizeof header};
  frame += arguments[3];
  if (sendto(socket.fd(), frame.data(), frame.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to) <
      0)
    fail("sendto");
  std::cout << "{\"sent\":" << frame.size() << "}" << std::endl;
}

/// The bytes that a line of hexadecimal digits stands for.
std::string bytes_of(const std::string& line) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < line.size(); i += 2)
    bytes += static_cast<char>(std::stoi(line.substr(i, 2), nullptr, 16));
  return bytes;
}

class FrameSender {
 public:
  explicit FrameSender(const std::string& device) {
    to_.sll_family = AF_PACKET;
    to_.sll_ifindex = static_cast<int>(index_of(device));
  }
  /// False when the device has no room for it.
  bool send(const std::string& frame) const {
    return sendto(socket_.fd(), frame.data(), frame.size(), 0, reinterpret_cast<const sockaddr*>(&to_),
                  sizeof to_) >= 0;
  }

 private:
  Socket socket_{AF_PACKET, SOCK_RAW};
  sockaddr_ll to_{};
};

/// Sends whole frames, with whatever source they have.
void frames(const Arguments& arguments) {
  const FrameSender sender{arguments[0]};
  std::string line;
  std::size_t sent = 0;
  while (std::getline(std::cin, line))
    sent += sender.send(bytes_of(line));
  std::cout << "{\"sent\":" << sent << "}" << std::endl;
}

/// Sends frames from stdin again and again, as many a second, until interrupted; `change` gets each with its number.
template <typename Change>
void send_again(const Arguments& arguments, Change change) {
  const FrameSender sender{arguments[0]};
  const auto rate = std::stoul(arguments[1]);
  std::vector<std::string> templates;
  for (std::string line; std::getline(std::cin, line);)
    templates.push_back(bytes_of(line));
  ready();
  std::size_t sent = 0;
  const auto start = Clock::now();
  for (std::size_t i = 0; !interrupted; ++i) {
    std::string frame = templates[i % templates.size()];
    change(frame, i);
    sent += sender.send(frame);
    if (i % 64 == 63) std::this_thread::sleep_until(start + (i + 1) * 1'000'000us / rate);
  }
  std::cout << "{\"sent\":" << sent << "}" << std::endl;
}

void flood(const Arguments& arguments) {
  send_again(arguments, [](std::string&, std::size_t) {});
}

/// Every other frame comes from a source that nobody had yet, and every third has another byte somewhere.
void garbage(const Arguments& arguments) {
  std::mt19937 random{4711};
  send_again(arguments, [&](std::string& frame, std::size_t i) {
    if (i % 2 == 0)
      for (std::size_t at = 8; at < 12; ++at)
        frame[at] = static_cast<char>(random());
    if (i % 3 == 0) frame[12 + random() % (frame.size() - 12)] = static_cast<char>(random());
  });
}

/// Writes the content of the first frame of this EtherType that arrives.
void frame_receive(const Arguments& arguments) {
  const auto ethertype = static_cast<std::uint16_t>(std::stoul(arguments[1], nullptr, 0));
  const Socket socket{AF_PACKET, SOCK_RAW, htons(ethertype)};
  sockaddr_ll at{};
  at.sll_family = AF_PACKET;
  at.sll_protocol = htons(ethertype);
  at.sll_ifindex = static_cast<int>(index_of(arguments[0]));
  if (bind(socket.fd(), reinterpret_cast<const sockaddr*>(&at), sizeof at) < 0) fail("bind");
  ready();
  std::vector<char> frame(65536);
  while (!interrupted) {
    pollfd waiting{socket.fd(), POLLIN, 0};
    if (poll(&waiting, 1, 50) <= 0) continue;
    const ssize_t size = recv(socket.fd(), frame.data(), frame.size(), 0);
    if (size < static_cast<ssize_t>(sizeof(ethhdr))) continue;
    std::cout.write(frame.data() + sizeof(ethhdr), size - static_cast<ssize_t>(sizeof(ethhdr))) << std::flush;
    return;
  }
}

/// Writes every frame that passes an interface to a file in the libpcap format, with nothing held back in a
/// buffer. After an interrupt, what the kernel already holds is written too.
void capture(const Arguments& arguments) {
  const Socket socket{AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)};
  const int buffer = 256 << 20;
  if (setsockopt(socket.fd(), SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) < 0) {
    socket.set(SOL_SOCKET, SO_RCVBUF, buffer);
  }
  sockaddr_ll at{};
  at.sll_family = AF_PACKET;
  at.sll_protocol = htons(ETH_P_ALL);
  at.sll_ifindex = static_cast<int>(index_of(arguments[0]));
  if (bind(socket.fd(), reinterpret_cast<const sockaddr*>(&at), sizeof at) < 0) fail("bind");
  const Socket file{open(arguments[1].c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
  if (file.fd() < 0) fail(arguments[1]);
  constexpr std::uint32_t header[] = {0xa1b2c3d4, 0x00040002, 0, 0, 1 << 18, 1 /* Ethernet */};
  if (write(file.fd(), header, sizeof header) < 0) fail("write");
  ready();
  std::vector<char> record(16 + (1 << 18));
  while (true) {
    const ssize_t size = recv(socket.fd(), record.data() + 16, record.size() - 16, MSG_DONTWAIT);
    if (size < 0) {
      if (interrupted) break;
      pollfd waiting{socket.fd(), POLLIN, 0};
      poll(&waiting, 1, 50);
      continue;
    }
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    const auto length = static_cast<std::uint32_t>(size);
    const std::uint32_t prefix[] = {static_cast<std::uint32_t>(now.tv_sec),
                                    static_cast<std::uint32_t>(now.tv_nsec / 1000), length, length};
    std::memcpy(record.data(), prefix, sizeof prefix);
    if (write(file.fd(), record.data(), sizeof prefix + length) < 0) fail("write");
  }
  tpacket_stats statistics{};
  socklen_t length = sizeof statistics;
  if (getsockopt(socket.fd(), SOL_PACKET, PACKET_STATISTICS, &statistics, &length) < 0)
    fail("PACKET_STATISTICS");
  std::cout << "{\"missed\":" << statistics.tp_drops << "}" << std::endl;
}

Socket raw_socket(const std::string& device, int protocol) {
  Socket socket{AF_PACKET, SOCK_RAW, protocol};
  // Superframes keep what makes them such.
  socket.set(SOL_PACKET, PACKET_VNET_HDR, 1);
  sockaddr_ll at{};
  at.sll_family = AF_PACKET;
  at.sll_protocol = static_cast<decltype(at.sll_protocol)>(protocol);
  at.sll_ifindex = static_cast<int>(index_of(device));
  if (bind(socket.fd(), reinterpret_cast<const sockaddr*>(&at), sizeof at) < 0) fail("bind");
  return socket;
}

/// Sends what comes in at one interface out at another, each frame so much later.
void hold(const Arguments& arguments) {
  const Socket in = raw_socket(arguments[0], htons(ETH_P_ALL));
  const Socket out = raw_socket(arguments[1], 0);
  const std::chrono::milliseconds delay{std::stol(arguments[2])};
  std::deque<std::pair<Clock::time_point, std::vector<char>>> held;
  std::vector<char> frame(1 << 17);
  std::size_t passed = 0;
  ready();
  while (!interrupted) {
    pollfd waiting{in.fd(), POLLIN, 0};
    poll(&waiting, 1, held.empty() ? 50 : 1);
    sockaddr_ll from{};
    socklen_t length = sizeof from;
    const ssize_t size = recvfrom(in.fd(), frame.data(), frame.size(), MSG_DONTWAIT,
                                  reinterpret_cast<sockaddr*>(&from), &length);
    if (size > 0 && from.sll_pkttype != PACKET_OUTGOING)
      held.emplace_back(Clock::now() + delay, std::vector<char>(frame.data(), frame.data() + size));
    for (; !held.empty() && held.front().first <= Clock::now(); held.pop_front())
      if (send(out.fd(), held.front().second.data(), held.front().second.size(), 0) > 0) ++passed;
  }
  std::cout << "{\"passed\":" << passed << "}" << std::endl;
}

void inject(const Arguments& arguments) {
  const Address to = resolve(arguments[0], arguments[1], SOCK_DGRAM);
  const Socket socket{to.family(), SOCK_DGRAM};
  std::string line;
  std::size_t sent = 0;
  while (std::getline(std::cin, line)) {
    const std::string datagram = bytes_of(line);
    if (sendto(socket.fd(), datagram.data(), datagram.size(), 0, to.get(), to.length) >= 0) ++sent;
    if (sent % 64 == 0) std::this_thread::sleep_for(1ms);
  }
  std::cout << "{\"sent\":" << sent << "}" << std::endl;
}

const std::map<std::string_view, void (*)(const Arguments&)> commands{
    {"udp-send", udp_send},
    {"udp-receive", udp_receive},
    {"stream-serve", stream_serve},
    {"stream-connect", stream_connect},
    {"connections", connections},
    {"frame-send", frame_send},
    {"frame-receive", frame_receive},
    {"frames", frames},
    {"flood", flood},
    {"garbage", garbage},
    {"hold", hold},
    {"inject", inject},
    {"capture", capture},
};

}  // namespace

int main(int argc, char** argv) {
  struct sigaction action {};
  action.sa_handler = [](int) { interrupted = true; };
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  try {
    const auto command = commands.find(argc > 1 ? argv[1] : "");
    if (command == commands.end()) throw std::runtime_error("unknown command");
    command->second(Arguments{{argv + 2, argv + argc}});
  } catch (const std::exception& error) {
    std::cerr << "traffic: " << error.what() << std::endl;
    return 1;
  }
  return 0;
}
