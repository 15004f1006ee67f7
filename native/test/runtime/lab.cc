#include "lab.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "base/failure.h"
#include "io/unix_socket.h"

namespace weft::test {
namespace {

void write_file(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
}

Fd new_network_namespace() {
  Fd fd;
  std::string problem;
  std::thread([&] {
    if (::unshare(CLONE_NEWNET) == 0) fd = Fd(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    if (!fd) problem = Failure::from_errno("cannot make a network namespace").what();
  }).join();
  if (!fd) throw Failure(problem);
  return fd;
}

/// Whether there is something to read before the deadline. What is there is seen even by a test that got no
/// CPU until its time was over.
bool is_readable(int socket, std::chrono::steady_clock::time_point deadline) {
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  pollfd wait{socket, POLLIN, 0};
  return ::poll(&wait, 1, std::max(static_cast<int>(left.count()), 0)) > 0;
}

std::array<std::byte, 6> parse_mac(const std::string& text) {
  std::array<unsigned, 6> values{};
  REQUIRE(std::sscanf(text.c_str(), "%x:%x:%x:%x:%x:%x", &values[0], &values[1], &values[2], &values[3],
                      &values[4], &values[5]) == 6);
  std::array<std::byte, 6> mac{};
  for (std::size_t i = 0; i < mac.size(); ++i)
    mac[i] = static_cast<std::byte>(values[i]);
  return mac;
}

// Any key does, if both ends have the same and no two are equal.
std::string test_key(std::size_t size, unsigned seed) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  for (std::size_t i = 0; i < size; ++i)
    bytes += static_cast<char>(seed * 37 + i * 11 + 5);
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto at = [&](std::size_t k) {
      return k < bytes.size() ? static_cast<unsigned char>(bytes[k]) : 0U;
    };
    const unsigned bits = at(i) << 16 | at(i + 1) << 8 | at(i + 2);
    for (unsigned k = 0; k < 4; ++k)
      text += i + k > bytes.size() ? '=' : digits[bits >> (18 - 6 * k) & 63];
  }
  return text;
}

}  // namespace

std::string prepare_privileges() {
  const uid_t user = ::getuid();
  const gid_t group = ::getgid();
  if (user != 0) {
    if (::unshare(CLONE_NEWUSER) != 0) return "neither root nor allowed to make a user namespace";
    write_file("/proc/self/setgroups", "deny");
    write_file("/proc/self/uid_map", "0 " + std::to_string(user) + " 1");
    write_file("/proc/self/gid_map", "0 " + std::to_string(group) + " 1");
  }
  try {
    new_network_namespace();
  } catch (const Failure& failure) {
    return failure.what();
  }
  return ::access("/dev/net/tun", R_OK | W_OK) == 0 ? "" : "/dev/net/tun cannot be opened";
}

ScratchDirectory::ScratchDirectory() {
  std::string pattern = (std::filesystem::temp_directory_path() / "weft-test-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw Failure::from_errno("mkdtemp");
  path_ = pattern;
}

ScratchDirectory::~ScratchDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Process::Process(const std::vector<std::string>& command, int network_namespace,
                 const std::string& error_file, int input) {
  std::vector<char*> arguments;
  for (const std::string& argument : command)
    arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  pid_ = ::fork();
  if (pid_ < 0) throw Failure::from_errno("fork");
  if (pid_ > 0) return;
  // Nothing of a test outlives it, not even of one that was killed.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // In a sanitizer build: looking for leaks at the end is more than the sandbox allows.
  ::setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
  ::setenv("TSAN_OPTIONS", "halt_on_error=1", 1);
  if (::setns(network_namespace, CLONE_NEWNET) != 0) ::_exit(126);
  if (input >= 0) ::dup2(input, STDIN_FILENO);
  if (!error_file.empty()) {
    const int fd = ::open(error_file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(fd, STDERR_FILENO);
  }
  ::execvp(arguments[0], arguments.data());
  ::_exit(127);
}

Process::~Process() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void Process::signal(int number) const {
  ::kill(pid_, number);
}

int Process::wait() {
  int status = 0;
  REQUIRE(::waitpid(pid_, &status, 0) == pid_);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

Control::Control(const std::string& path) : socket_(connect_unix(path)) {}

void Control::send_raw(const std::string& text) {
  send_with_fds(socket_.get(), text, {});
}

std::optional<Json> Control::read_line(std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (buffer_.find('\n') == std::string::npos) {
    if (!is_readable(socket_.get(), deadline)) return std::nullopt;
    std::array<char, 65536> chunk;
    const ssize_t size = ::read(socket_.get(), chunk.data(), chunk.size());
    REQUIRE_MESSAGE(size > 0, "the forwarder closed the control connection");
    buffer_.append(chunk.data(), static_cast<std::size_t>(size));
  }
  const auto end = buffer_.find('\n');
  Json line = Json::parse(buffer_.substr(0, end));
  buffer_.erase(0, end + 1);
  return line;
}

Json Control::next_answer() {
  for (;;) {
    auto line = read_line(10s);
    REQUIRE_MESSAGE(line.has_value(), "no answer from the forwarder");
    if (!line->contains("event")) return *line;
    events_.push_back(std::move(*line));
  }
}

Json Control::ask(Json request) {
  request["id"] = next_id_;
  send_raw(request.dump() + "\n");
  Json answer = next_answer();
  REQUIRE(answer["id"] == next_id_);
  ++next_id_;
  return answer;
}

Json Control::ok(Json request) {
  Json answer = ask(request);
  REQUIRE_MESSAGE(answer.contains("ok"), request.dump() << " → " << answer.dump());
  return answer["ok"];
}

Json Control::event(const std::string& name, const std::function<bool(const Json&)>& matches,
                    std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  std::size_t looked_at = 0;
  for (;;) {
    for (; looked_at < events_.size(); ++looked_at) {
      Json event = events_[looked_at];
      if (event["event"] != name || (matches && !matches(event))) continue;
      events_.erase(events_.begin() + static_cast<std::ptrdiff_t>(looked_at));
      return event;
    }
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    auto line = read_line(left);
    REQUIRE_MESSAGE(line.has_value(), "no event " << name << "; there were " << Json(events_).dump());
    events_.push_back(std::move(*line));
  }
}

Tap::Tap(int network_namespace, const std::string& interface, std::uint16_t ethertype) {
  std::thread([&] {
    if (::setns(network_namespace, CLONE_NEWNET) != 0) return;
    socket_ = Fd(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
    // A test that sends first and reads later must find everything.
    const int room = 16 << 20;
    if (::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) != 0)
      ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ethertype);
    address.sll_ifindex = static_cast<int>(::if_nametoindex(interface.c_str()));
    if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      socket_.reset();
  }).join();
  REQUIRE(static_cast<bool>(socket_));
}

void Tap::send(ConstBytes frame) const {
  const auto sent = ::send(socket_.get(), frame.data(), frame.size(), 0);
  REQUIRE(sent == static_cast<ssize_t>(frame.size()));
}

std::optional<std::vector<std::byte>> Tap::receive(std::chrono::milliseconds timeout) const {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  std::vector<std::byte> frame(70'000);
  for (;;) {
    if (!is_readable(socket_.get(), deadline)) return std::nullopt;
    sockaddr_ll from{};
    socklen_t length = sizeof from;
    const ssize_t size =
        ::recvfrom(socket_.get(), frame.data(), frame.size(), 0, reinterpret_cast<sockaddr*>(&from), &length);
    if (size < 14 || from.sll_pkttype == PACKET_OUTGOING) continue;
    frame.resize(static_cast<std::size_t>(size));
    return frame;
  }
}

Host::Host(std::string id) : id_(std::move(id)), namespace_(new_network_namespace()) {
  run("ip link set lo up");
}

Host::~Host() {
  process_.reset();
  std::stringstream log;
  log << std::ifstream(log_path()).rdbuf();
  CHECK_MESSAGE(log.str().find("Sanitizer") == std::string::npos, log.str());
}

void Host::run(const std::string& command) const {
  Process process({"sh", "-c", command}, namespace_.get());
  const int code = process.wait();
  REQUIRE_MESSAGE(code == 0, command);
}

void Host::inside(const std::function<void()>& work) const {
  std::thread([&] {
    if (::setns(namespace_.get(), CLONE_NEWNET) == 0) work();
  }).join();
}

std::string forwarder_binary() {
  return WEFT_FORWARDER_BINARY;
}

void Host::start(const std::vector<std::string>& extra, unsigned workers, unsigned tap_mtu) {
  std::vector<std::string> command{forwarder_binary(), "run",  "--control", control_path(),
                                   "--port",           "6783", "--workers", std::to_string(workers)};
  command.insert(command.end(), extra.begin(), extra.end());
  process_ = std::make_unique<Process>(command, namespace_.get(), log_path());
  eventually("the forwarder listens", [&] {
    try {
      control_ = std::make_unique<Control>(control_path());
      return true;
    } catch (const Failure&) {
      return false;
    }
  });
  control_->ok({{"op", "hello"}, {"protocol", 1}});
  control_->ok({{"op", "subscribe"}});
  control_->ok({{"op", "self"}, {"peer", id_}});
  Process open_tap({forwarder_binary(), "open-tap", "--control", control_path(), "--network", "0", "--name",
                    "tap0", "--queues", std::to_string(workers)},
                   namespace_.get());
  REQUIRE(open_tap.wait() == 0);
  run("ip link set tap0 mtu " + std::to_string(tap_mtu) + " up");
  control_->ok({{"op", "network.mtu"}, {"network", 0}, {"mtu", tap_mtu}});
  tap_ = std::make_unique<Tap>(namespace_.get(), "tap0");
}

std::uint64_t Host::counter(const std::string& name) {
  return control_->ok({{"op", "stats"}})["counters"][name].get<std::uint64_t>();
}

Json Host::peer(const std::string& id) {
  const Json dump = control_->ok({{"op", "dump"}});
  for (const Json& peer : dump["peers"])
    if (peer["peer"] == id) return peer;
  return nullptr;
}

void connect(const Host& one, const Host& other, const std::string& interface, const std::string& one_address,
             const std::string& other_address, unsigned mtu) {
  // The other end is made in the first host and moved by the descriptor that this process holds.
  const std::string target =
      "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(other.network_namespace());
  one.run("ip link add " + interface + " mtu " + std::to_string(mtu) + " type veth peer name " + interface +
          " mtu " + std::to_string(mtu) + " netns " + target);
  one.run("ip addr add " + one_address + " dev " + interface + " nodad 2>/dev/null || ip addr add " +
          one_address + " dev " + interface);
  other.run("ip addr add " + other_address + " dev " + interface + " nodad 2>/dev/null || ip addr add " +
            other_address + " dev " + interface);
  one.run("ip link set " + interface + " up");
  other.run("ip link set " + interface + " up");
}

void give_key(Host& one, Host& other, const std::string& cipher) {
  static unsigned generation = 0;
  ++generation;
  const unsigned one_index = generation * 2;
  const unsigned other_index = generation * 2 + 1;
  const auto key = [&](unsigned number) { return test_key(32, generation * 8 + number); };
  const auto hop = [&](unsigned number) { return test_key(16, generation * 8 + number); };
  // The responder first: it must be able to open before the initiator seals.
  other.control().ok({{"op", "key.set"},
                      {"peer", one.id()},
                      {"localIndex", other_index},
                      {"remoteIndex", one_index},
                      {"cipher", cipher},
                      {"sealKey", key(0)},
                      {"openKey", key(1)},
                      {"hopSealKey", hop(2)},
                      {"hopOpenKey", hop(3)},
                      {"role", "responder"}});
  one.control().ok({{"op", "key.set"},
                    {"peer", other.id()},
                    {"localIndex", one_index},
                    {"remoteIndex", other_index},
                    {"cipher", cipher},
                    {"sealKey", key(1)},
                    {"openKey", key(0)},
                    {"hopSealKey", hop(3)},
                    {"hopOpenKey", hop(2)},
                    {"role", "initiator"}});
}

void introduce(Host& one, Host& other, const std::vector<std::string>& one_endpoints,
               const std::vector<std::string>& other_endpoints, const std::string& cipher) {
  one.control().ok(
      {{"op", "peer.set"}, {"peer", other.id()}, {"endpoints", other_endpoints}, {"networks", {0}}});
  other.control().ok(
      {{"op", "peer.set"}, {"peer", one.id()}, {"endpoints", one_endpoints}, {"networks", {0}}});
  give_key(one, other, cipher);
}

Fd udp_to(const Host& from, const std::string& address) {
  Fd socket;
  from.inside([&] {
    socket = Fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(6783);
    ::inet_pton(AF_INET, address.c_str(), &to.sin_addr);
    if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) socket.reset();
  });
  REQUIRE(static_cast<bool>(socket));
  return socket;
}

std::pair<Fd, Fd> dial(const Host& one, const Host& other, const std::string& address) {
  constexpr std::uint16_t port = 7000;
  const auto tcp_socket = [](const Host& host) {
    Fd socket;
    host.inside([&] { socket = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)); });
    return socket;
  };
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  REQUIRE(::inet_pton(AF_INET, address.c_str(), &to.sin_addr) == 1);
  const Fd listener = tcp_socket(other);
  const int reuse = 1;
  ::setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse);
  REQUIRE(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
  REQUIRE(::listen(listener.get(), 1) == 0);
  Fd dialled = tcp_socket(one);
  REQUIRE(::connect(dialled.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
  Fd accepted(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  REQUIRE(static_cast<bool>(accepted));
  return {std::move(dialled), std::move(accepted)};
}

void await_up(Host& one, Host& other) {
  eventually("both are up",
             [&] { return one.peer(other.id())["up"] == true && other.peer(one.id())["up"] == true; });
}

void eventually(const std::string& what, const std::function<bool()>& condition,
                std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!condition()) {
    REQUIRE_MESSAGE(std::chrono::steady_clock::now() < deadline, "in vain: " << what);
    std::this_thread::sleep_for(10ms);
  }
}

Pair::Pair(const std::string& cipher, const std::vector<std::string>& extra, unsigned wire_mtu,
           unsigned tap_mtu) {
  connect(a, b, "eth0", "192.0.2.1/24", "192.0.2.2/24", wire_mtu);
  a.start(extra, 2, tap_mtu);
  b.start(extra, 2, tap_mtu);
  introduce(a, b, {"192.0.2.1:6783"}, {"192.0.2.2:6783"}, cipher);
  await_up(a, b);
  for (auto [host, peer] : {std::pair{&a, &b}, std::pair{&b, &a}})
    eventually("the path MTU is known", [host = host, peer = peer, wire_mtu] {
      return host->peer(peer->id())["pathMtu"] == wire_mtu;
    });
}

std::vector<std::byte> make_frame(const std::string& destination, const std::string& source, std::size_t size,
                                  unsigned seed) {
  std::vector<std::byte> frame(size);
  for (std::size_t i = 14; i < size; ++i)
    frame[i] = static_cast<std::byte>(i * 7 + seed * 131 + (i >> 8));
  const auto to = parse_mac(destination);
  const auto from = parse_mac(source);
  std::copy(to.begin(), to.end(), frame.begin());
  std::copy(from.begin(), from.end(), frame.begin() + 6);
  store16(frame.data() + 12, test_ethertype);
  return frame;
}

}  // namespace weft::test
