/// Hosts as network namespaces, with real forwarders on real wires.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/fd.h"

namespace weft::test {

using Json = nlohmann::json;
using namespace std::chrono_literals;

/// Empty if network namespaces can be made here (as root, or by becoming root of a user namespace of our own;
/// to be called before threads start); otherwise the reason.
std::string prepare_privileges();

/// A directory that goes with its content.
class ScratchDirectory {
 public:
  ScratchDirectory();
  ~ScratchDirectory();
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// A process in a network namespace; killed when it goes.
class Process {
 public:
  /// `input`: its standard input, if that matters.
  Process(const std::vector<std::string>& command, int network_namespace, const std::string& error_file = "",
          int input = -1);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  [[nodiscard]] pid_t pid() const { return pid_; }
  void signal(int number) const;
  /// Waits for its end; the exit code, or minus the signal that killed it.
  int wait();

 private:
  pid_t pid_;
};

/// One connection to a forwarder's control socket.
class Control {
 public:
  explicit Control(const std::string& path);
  /// Sends a request and returns the whole answer; events that come before it are kept.
  Json ask(Json request);
  /// `ask` and insist on `ok`.
  Json ok(Json request);
  void send_raw(const std::string& text);
  /// The next line that is not an event.
  Json next_answer();
  /// Waits for an event of that name (since `subscribe`), for which `matches` holds; fails the test after
  /// `timeout`.
  Json event(const std::string& name, const std::function<bool(const Json&)>& matches = nullptr,
             std::chrono::milliseconds timeout = 10s);
  void forget_events() { events_.clear(); }

 private:
  std::optional<Json> read_line(std::chrono::milliseconds timeout);

  Fd socket_;
  std::string buffer_;
  std::vector<Json> events_;
  int next_id_ = 1;
};

inline constexpr std::uint16_t test_ethertype = 0x88b5;
inline constexpr std::uint16_t ipv4_ethertype = 0x0800;

/// A raw socket on one interface: what is sent leaves through it, and frames of one EtherType that come in
/// are read.
class Tap {
 public:
  Tap(int network_namespace, const std::string& interface, std::uint16_t ethertype = test_ethertype);
  void send(ConstBytes frame) const;
  /// The next incoming frame, or nothing after `timeout`.
  std::optional<std::vector<std::byte>> receive(std::chrono::milliseconds timeout = 5s) const;

 private:
  Fd socket_;
};

class Host {
 public:
  explicit Host(std::string id);
  ~Host();

  [[nodiscard]] int network_namespace() const { return namespace_.get(); }
  [[nodiscard]] const std::string& id() const { return id_; }
  /// Runs a command in the host and fails the test if it fails.
  void run(const std::string& command) const;
  /// Runs `work` in a thread inside the host.
  void inside(const std::function<void()>& work) const;

  /// Starts the forwarder with a TAP for network 0.
  void start(const std::vector<std::string>& extra = {}, unsigned workers = 2, unsigned tap_mtu = 1418);
  [[nodiscard]] Control& control() { return *control_; }
  [[nodiscard]] Process& process() { return *process_; }
  [[nodiscard]] std::string control_path() const { return directory_.path() + "/forwarder.sock"; }
  [[nodiscard]] Tap& tap() { return *tap_; }
  std::uint64_t counter(const std::string& name);
  Json peer(const std::string& id);

 private:
  [[nodiscard]] std::string log_path() const { return directory_.path() + "/log"; }

  std::string id_;
  ScratchDirectory directory_;
  Fd namespace_;
  std::unique_ptr<Process> process_;
  std::unique_ptr<Control> control_;
  std::unique_ptr<Tap> tap_;
};

std::string forwarder_binary();

/// A veth pair between two hosts, up, with these addresses.
void connect(const Host& one, const Host& other, const std::string& interface, const std::string& one_address,
             const std::string& other_address, unsigned mtu = 1500);

/// Tells each of the other, and gives them a key.
void introduce(Host& one, Host& other, const std::vector<std::string>& one_endpoints,
               const std::vector<std::string>& other_endpoints, const std::string& cipher = "aes-256-gcm");
/// One more key; `one` is the initiator.
void give_key(Host& one, Host& other, const std::string& cipher);
/// A TCP connection from one host to an address of the other; both ends.
std::pair<Fd, Fd> dial(const Host& one, const Host& other, const std::string& address);
/// A UDP socket on a host, connected to the port of a router at an IPv4 address: whoever has it can say
/// anything.
Fd udp_to(const Host& from, const std::string& address);
/// Waits until each has the other up.
void await_up(Host& one, Host& other);
/// Waits until a condition holds, looking again and again; fails the test after `timeout`.
void eventually(const std::string& what, const std::function<bool()>& condition,
                std::chrono::milliseconds timeout = 10s);

/// Two hosts on one wire, introduced, up, path MTU known.
struct Pair {
  Host a{"00000000000000aa"};
  Host b{"00000000000000bb"};
  explicit Pair(const std::string& cipher = "aes-256-gcm", const std::vector<std::string>& extra = {},
                unsigned wire_mtu = 1500, unsigned tap_mtu = 1418);
};

/// An Ethernet frame of a private EtherType, `size` bytes, with content that depends on `seed`.
std::vector<std::byte> make_frame(const std::string& destination, const std::string& source, std::size_t size,
                                  unsigned seed = 0);
inline constexpr const char* mac_a = "02:00:00:00:00:0a";
inline constexpr const char* mac_b = "02:00:00:00:00:0b";
inline constexpr const char* broadcast = "ff:ff:ff:ff:ff:ff";

}  // namespace weft::test
