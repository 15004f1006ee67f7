/// The command line: docs/forwarder.md.
#include <malloc.h>
#include <sodium.h>

#include <charconv>
#include <climits>
#include <cstdio>
#include <exception>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "aead/aead.h"
#include "base/failure.h"
#include "control/forwarder.h"
#include "io/device/bridge.h"
#include "io/device/packet_socket.h"
#include "io/device/tap.h"
#include "io/unix_socket.h"
#include "offload/self_test.h"
#include "packet/messages/kernel_probe.h"
#include "version.h"

namespace weft {
namespace {

constexpr int exit_failure = 1;
constexpr int exit_usage = 2;
constexpr unsigned default_workers = 4;
// The router's own port has 32 lanes, of which the control thread has two of its own.
constexpr unsigned max_workers = 16;

constexpr std::string_view usage =
    "weft-forwarder: moves Ethernet frames between TAP devices and an encrypted UDP tunnel\n"
    "\n"
    "  weft-forwarder run --control PATH --port N [--workers N] [--udp-ports N] [--no-offload NAME]...\n"
    "                     [--after PID]\n"
    "  weft-forwarder open-tap --control PATH --network N --name IFNAME --queues N\n"
    "  weft-forwarder open-kernel-path --control PATH --network N --name IFNAME\n"
    "  weft-forwarder limit-learning --bridge IFNAME --addresses N\n"
    "  weft-forwarder pass-stream --control PATH --peer ID\n"
    "  weft-forwarder self-test [--json]\n"
    "  weft-forwarder --version | --help\n"
    "\n"
    "It is started and told what to do by the weft daemon; docs/forwarder.md says how.\n";

struct UsageError {
  std::string message;
};

/// Options of one command: `--name value`, each at most once unless it may repeat.
class Arguments {
 public:
  explicit Arguments(std::span<char*> arguments) : arguments_(arguments.begin(), arguments.end()) {}

  /// Takes the next occurrence of an option out.
  std::optional<std::string_view> take(std::string_view name) {
    for (std::size_t i = 0; i + 1 < arguments_.size(); ++i) {
      if (arguments_[i] != name) continue;
      const std::string_view value = arguments_[i + 1];
      arguments_.erase(arguments_.begin() + static_cast<std::ptrdiff_t>(i),
                       arguments_.begin() + static_cast<std::ptrdiff_t>(i) + 2);
      return value;
    }
    return std::nullopt;
  }
  bool take_flag(std::string_view name) { return std::erase(arguments_, name) > 0; }
  std::string_view required(std::string_view name) {
    const auto value = take(name);
    if (!value) throw UsageError{"option " + std::string(name) + " is missing"};
    return *value;
  }
  unsigned number(std::string_view name, unsigned min, unsigned max,
                  std::optional<unsigned> absent = std::nullopt) {
    const auto text = absent ? take(name) : std::optional(required(name));
    if (!text) return *absent;
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (error != std::errc{} || end != text->data() + text->size() || value < min || value > max)
      throw UsageError{"option " + std::string(name) + " must be a number from " + std::to_string(min) +
                       " to " + std::to_string(max)};
    return value;
  }
  void finish() const {
    if (!arguments_.empty()) throw UsageError{"unknown argument " + std::string(arguments_.front())};
  }

 private:
  std::vector<std::string_view> arguments_;
};

void init_libraries() {
  if (::sodium_init() < 0 || !aead_init())
    throw Failure("the cryptographic libraries do not work on this machine");
}

int run(Arguments arguments) {
  ForwarderOptions options;
  options.control_path = arguments.required("--control");
  options.port = static_cast<std::uint16_t>(arguments.number("--port", 1, UINT16_MAX));
  const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  options.workers = arguments.number("--workers", 1, max_workers, std::min(cores, default_workers));
  options.udp_ports = arguments.number("--udp-ports", 1, SourcePorts::max_count, 1);
  while (const auto name = arguments.take("--no-offload")) {
    const auto offload = offload_from_name(*name);
    if (!offload) throw UsageError{"there is no offload " + std::string(*name)};
    options.disabled.push_back(*offload);
  }
  options.predecessor = static_cast<pid_t>(arguments.number("--after", 1, INT_MAX, 0));
  arguments.finish();
  // Workers do not allocate while they run: arenas of their own would only cost memory.
  ::mallopt(M_ARENA_MAX, 1);
  init_libraries();
  Forwarder(options).run();
  return 0;
}

/// The forwarder's answer to one request on a fresh connection.
nlohmann::json ask(const std::string& control_path, const nlohmann::json& request, std::span<const Fd> fds) {
  const Fd socket = connect_unix(control_path);
  send_with_fds(socket.get(), request.dump() + "\n", fds);
  std::string answer;
  while (answer.find('\n') == std::string::npos) {
    std::array<char, 4096> buffer;
    const ssize_t size = ::read(socket.get(), buffer.data(), buffer.size());
    if (size <= 0) throw Failure("the forwarder closed the connection");
    answer.append(buffer.data(), static_cast<std::size_t>(size));
  }
  return nlohmann::json::parse(answer.substr(0, answer.find('\n')));
}

int open_tap_command(Arguments arguments) {
  const std::string control_path(arguments.required("--control"));
  const unsigned network = arguments.number("--network", 0, UINT16_MAX);
  const std::string name(arguments.required("--name"));
  const unsigned queues = arguments.number("--queues", 1, max_workers);
  arguments.finish();
  const std::vector<Fd> fds = open_tap(name, queues);
  const nlohmann::json answer =
      ask(control_path, {{"id", 1}, {"op", "tap"}, {"network", network}, {"name", name}}, fds);
  if (answer.contains("error")) throw Failure("the forwarder refused the TAP: " + answer["error"].dump());
  return 0;
}

int open_kernel_path_command(Arguments arguments) {
  const std::string control_path(arguments.required("--control"));
  const unsigned network = arguments.number("--network", 0, UINT16_MAX);
  const std::string name(arguments.required("--name"));
  arguments.finish();
  const std::array<Fd, 1> fds{open_packet_socket(name, kernel_probe_ethertype, kernel_probe_magic)};
  const nlohmann::json answer =
      ask(control_path, {{"id", 1}, {"op", "kernel-path.open"}, {"network", network}, {"name", name}}, fds);
  if (answer.contains("error"))
    throw Failure("the forwarder refused the kernel path: " + answer["error"].dump());
  return 0;
}

int limit_learning_command(Arguments arguments) {
  const std::string bridge(arguments.required("--bridge"));
  const unsigned addresses = arguments.number("--addresses", 0, INT_MAX);
  arguments.finish();
  limit_learning(bridge, addresses);
  return 0;
}

int pass_stream(Arguments arguments) {
  const std::string control_path(arguments.required("--control"));
  const std::string peer(arguments.required("--peer"));
  arguments.finish();
  const std::array<Fd, 1> fds{Fd(::dup(STDIN_FILENO))};
  const nlohmann::json answer = ask(control_path, {{"id", 1}, {"op", "stream.set"}, {"peer", peer}}, fds);
  if (answer.contains("error")) throw Failure("the forwarder refused the stream: " + answer["error"].dump());
  return 0;
}

int self_test(Arguments arguments) {
  const bool json = arguments.take_flag("--json");
  arguments.finish();
  init_libraries();
  const OffloadReport report = test_all_offloads();
  Switches switches;
  for (const Offload offload : all_offloads)
    switches.set(offload, report.available(offload));
  nlohmann::json ciphers = nlohmann::json::array();
  for (const CipherInfo& info : cipher_inventory())
    ciphers.push_back({{"name", cipher_name(info.cipher)},
                       {"implementation", info.implementation},
                       {"hardware", info.hardware},
                       {"nanosecondsPer1400", info.nanoseconds_per_1400}});
  const nlohmann::json offloads = report.to_json(switches);
  if (json) {
    std::cout << nlohmann::json{{"ciphers", ciphers}, {"offloads", offloads}}.dump() << '\n';
    return 0;
  }
  for (const auto& cipher : ciphers)
    std::printf(
        "%-20s %-12s %6.0f ns for 1400 bytes%s\n", cipher["name"].get_ref<const std::string&>().c_str(),
        cipher["implementation"].get_ref<const std::string&>().c_str(),
        cipher["nanosecondsPer1400"].get<double>(), cipher["hardware"].get<bool>() ? ", in hardware" : "");
  for (const auto& offload : offloads)
    std::printf("%-20s %-12s %s\n", offload["name"].get_ref<const std::string&>().c_str(),
                offload["available"].get<bool>() ? "available" : "missing",
                offload["reason"].get_ref<const std::string&>().c_str());
  return 0;
}

int dispatch(std::span<char*> arguments) {
  if (arguments.empty()) throw UsageError{"a command is missing"};
  const std::string_view command = arguments.front();
  const Arguments rest(arguments.subspan(1));
  if (command == "run") return run(rest);
  if (command == "open-tap") return open_tap_command(rest);
  if (command == "open-kernel-path") return open_kernel_path_command(rest);
  if (command == "limit-learning") return limit_learning_command(rest);
  if (command == "pass-stream") return pass_stream(rest);
  if (command == "self-test") return self_test(rest);
  if (command == "--version") {
    std::cout << "weft-forwarder " << version << '\n';
    return 0;
  }
  if (command == "--help") {
    std::cout << usage;
    return 0;
  }
  throw UsageError{"unknown command " + std::string(command)};
}

}  // namespace
}  // namespace weft

int main(int argc, char** argv) {
  try {
    return weft::dispatch({argv + 1, static_cast<std::size_t>(argc - 1)});
  } catch (const weft::UsageError& error) {
    std::cerr << "weft-forwarder: " << error.message << " (weft-forwarder --help)\n";
    return weft::exit_usage;
  } catch (const std::exception& error) {
    std::cerr << "weft-forwarder: " << error.what() << '\n';
    return weft::exit_failure;
  }
}
