#include <doctest/doctest.h>

#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "lab.h"
#include "sandbox/sandbox.h"

namespace weft::test {
namespace {

std::string error_code(const Json& answer) {
  return answer.contains("error") ? answer["error"]["code"].get<std::string>() : "";
}

std::string status_field(pid_t pid, const std::string& name) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(name + ":")) {
      const auto value = line.find_first_not_of(" \t", name.size() + 1);
      return value == std::string::npos ? "" : line.substr(value);
    }
  return "";
}

TEST_CASE("hello tells what the forwarder is and can do") {
  Host host("00000000000000aa");
  host.start();
  const Json hello = host.control().ok({{"op", "hello"}, {"protocol", 1}});
  CHECK(hello["protocol"] == 1);
  CHECK(hello["port"] == 6783);
  CHECK(hello["workers"] == 2);
  CHECK(hello["pid"] == host.process().pid());
  CHECK(hello["sandboxed"] == true);
  CHECK(hello["ciphers"].size() == 3);
  for (const Json& cipher : hello["ciphers"])
    CHECK(cipher["nanosecondsPer1400"].get<double>() > 0);
  CHECK(hello["offloads"].size() == 5);
  for (const Json& offload : hello["offloads"])
    CHECK(offload["available"] == true);
  CHECK(error_code(host.control().ask({{"op", "hello"}, {"protocol", 2}})) == "version-mismatch");
}

TEST_CASE("the running forwarder has no privileges left") {
  Host host("00000000000000aa");
  host.start();
  const pid_t pid = host.process().pid();
  for (const char* set : {"CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb"})
    CHECK_MESSAGE(status_field(pid, set) == "0000000000000000", set);
  CHECK(status_field(pid, "NoNewPrivs") == "1");
  CHECK(status_field(pid, "Seccomp") == "2");
  for (const auto& thread : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task"))
    CHECK(status_field(std::stoi(thread.path().filename()), "Seccomp") == "2");
}

// False in a user namespace that has root only.
bool has_nobody() {
  std::ifstream map("/proc/self/uid_map");
  std::uint64_t first = 0, outside = 0, count = 0;
  return map >> first >> outside >> count && first + count > nobodys_id;
}

TEST_CASE("the running forwarder is nobody's process, in an empty directory") {
  Host host("00000000000000aa");
  host.start();
  const pid_t pid = host.process().pid();
  const std::string process = "/proc/" + std::to_string(pid);
  const std::string root = std::filesystem::read_symlink(process + "/root");
  CHECK_MESSAGE(root.ends_with("(deleted)"), root);
  CHECK(std::filesystem::is_empty(process + "/root"));
  if (!has_nobody()) return;
  const std::string id = std::to_string(nobodys_id);
  for (const char* field : {"Uid", "Gid"})
    CHECK(status_field(pid, field) == id + "\t" + id + "\t" + id + "\t" + id);
  CHECK(status_field(pid, "Groups").empty());
}

TEST_CASE("workers go before ordinary processes") {
  Host host("00000000000000aa");
  host.start();
  unsigned urgent = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc/" + std::to_string(host.process().pid()) + "/task")) {
    const pid_t thread = std::stoi(entry.path().filename());
    // A sanitizer has a thread of its own.
    if (!status_field(thread, "Name").starts_with("weft-lane")) continue;
    if (::getpriority(PRIO_PROCESS, static_cast<id_t>(thread)) == -10) ++urgent;
  }
  CHECK(urgent == 2);
}

TEST_CASE("the control socket is its owner's alone") {
  Host host("00000000000000aa");
  host.start();
  CHECK(std::filesystem::status(host.control_path()).permissions() ==
        (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
}

TEST_CASE("garbage on the control socket is refused and the connection stays up") {
  Host host("00000000000000aa");
  host.start();
  for (const std::string& line :
       {std::string("x"), std::string("{"), std::string("[]"), std::string("null"), std::string("{}"),
        std::string("{\"id\":1}"), std::string("{\"id\":\"1\",\"op\":\"dump\"}"),
        std::string("{\"id\":1,\"op\":5}"), std::string("\x80\xff\0\x01", 4), std::string(5000, '['),
        std::string("{\"id\":1e999,\"op\":\"dump\"}")}) {
    host.control().send_raw(line + "\n");
    CHECK(error_code(host.control().next_answer()) == "bad-request");
  }
  CHECK(error_code(host.control().ask({{"op", "fly"}})) == "unknown-op");
  host.control().ok({{"op", "dump"}});
}

TEST_CASE("a line over 1 MiB is refused and the next one is answered") {
  Host host("00000000000000aa");
  host.start();
  host.control().send_raw(std::string(3 << 20, 'x') + "\n");
  CHECK(error_code(host.control().next_answer()) == "bad-request");
  host.control().ok({{"op", "dump"}});
}

TEST_CASE("several requests in one write are answered in order") {
  Host host("00000000000000aa");
  host.start();
  host.control().send_raw("{\"id\":7,\"op\":\"macs\"}\n{\"id\":8,\"op\":\"fly\"}\n\n{\"id\":9,\"op\":\"du");
  host.control().send_raw("mp\"}\n");
  CHECK(host.control().next_answer()["id"] == 7);
  CHECK(host.control().next_answer()["id"] == 8);
  CHECK(host.control().next_answer()["id"] == 9);
}

TEST_CASE("fields that are not what they should be are named") {
  Host host("00000000000000aa");
  host.start();
  const std::string peer = "00000000000000bb";
  const Json good_peer{
      {"op", "peer.set"}, {"peer", peer}, {"endpoints", {"192.0.2.2:6783"}}, {"networks", {0}}};
  const Json good_key{{"op", "key.set"},
                      {"peer", peer},
                      {"localIndex", 5},
                      {"remoteIndex", 6},
                      {"cipher", "aes-256-gcm"},
                      {"sealKey", std::string(43, 'A') + "="},
                      {"openKey", std::string(43, 'A') + "="},
                      {"hopSealKey", std::string(22, 'A') + "=="},
                      {"hopOpenKey", std::string(22, 'A') + "=="},
                      {"role", "initiator"}};
  const auto refused = [&](Json request, const std::string& field, const Json& value) {
    request[field] = value;
    const Json answer = host.control().ask(request);
    CHECK_MESSAGE(error_code(answer) != "", request.dump());
    if (error_code(answer) == "bad-request")
      CHECK(answer["error"]["message"].get<std::string>().find("'" + field + "'") != std::string::npos);
  };
  for (const Json& value :
       {Json(nullptr), Json(5), Json("bb"), Json("00000000000000zz"), Json("0000000000000000")})
    refused(good_peer, "peer", value);
  for (const Json& value : {Json("x"), Json({"192.0.2.2"}), Json({"192.0.2.2:0"}), Json({"host:6783"}),
                            Json({"[fe80::1%nosuch0]:6783"}), Json({"[::1:6783"}), Json({5})})
    refused(good_peer, "endpoints", value);
  for (const Json& value : {Json(0), Json({-1}), Json({65536}), Json({"0"})})
    refused(good_peer, "networks", value);
  refused(good_peer, "keepalive", 0);
  refused(good_peer, "via", "x");
  CHECK(error_code(host.control().ask(good_key)) == "unknown-peer");
  host.control().ok(good_peer);
  for (const char* field : {"sealKey", "openKey", "hopSealKey", "hopOpenKey"})
    for (const Json& value : {Json(nullptr), Json(""), Json("AAAA"), Json("?"), Json(std::string(100, 'A'))})
      refused(good_key, field, value);
  for (const Json& value : {Json(0), Json(-1), Json(1.5), Json(std::uint64_t{1} << 32)})
    refused(good_key, "localIndex", value);
  refused(good_key, "cipher", "rot13");
  refused(good_key, "role", "king");
  host.control().ok(good_key);
  CHECK(error_code(host.control().ask(good_key)) == "index-in-use");
  CHECK(error_code(host.control().ask({{"op", "key.remove"}, {"localIndex", 99}})) == "unknown-key");
  CHECK(error_code(host.control().ask({{"op", "peer.remove"}, {"peer", "00000000000000cc"}})) ==
        "unknown-peer");
  CHECK(error_code(host.control().ask({{"op", "network.remove"}, {"network", 9}})) == "unknown-network");
  CHECK(error_code(host.control().ask({{"op", "offload.set"}, {"name", "x"}, {"enabled", true}})) ==
        "unknown-offload");
  CHECK(error_code(host.control().ask({{"op", "tap"}, {"network", 1}, {"name", "tap1"}})) == "bad-request");
}

TEST_CASE("a peer has at most four keys and the oldest goes") {
  Host host("00000000000000aa");
  Host other("00000000000000bb");
  host.start();
  other.start();
  introduce(host, other, {}, {});
  for (int i = 0; i < 5; ++i)
    give_key(host, other, "chacha20-poly1305");
  const Json keys = host.peer(other.id())["keys"];
  REQUIRE(keys.size() == 4);
  CHECK(keys[3]["sealing"] == true);
  CHECK(keys[0]["sealing"] == false);
}

TEST_CASE("a second forwarder is refused the port and the control socket") {
  Host host("00000000000000aa");
  host.start();
  Process same_socket({forwarder_binary(), "run", "--control", host.control_path(), "--port", "6784"},
                      host.network_namespace(), "/dev/null");
  CHECK(same_socket.wait() == 1);
  Process same_port({forwarder_binary(), "run", "--control", host.control_path() + "2", "--port", "6783"},
                    host.network_namespace(), "/dev/null");
  CHECK(same_port.wait() == 1);
  host.control().ok({{"op", "dump"}});
}

TEST_CASE("a socket that a killed forwarder left behind is taken over") {
  Host host("00000000000000aa");
  host.start();
  host.process().signal(SIGKILL);
  CHECK(host.process().wait() == -SIGKILL);
  CHECK(std::filesystem::exists(host.control_path()));
  host.start();
  host.control().ok({{"op", "dump"}});
}

TEST_CASE("it ends with 0 when it is asked to, and another takes its socket over") {
  for (const int number : {0, SIGTERM, SIGINT}) {
    Host host("00000000000000aa");
    host.start();
    if (number == 0) {
      host.control().ok({{"op", "stop"}});
    } else {
      host.process().signal(number);
    }
    CHECK(host.process().wait() == 0);
    host.start();
    host.control().ok({{"op", "dump"}});
  }
}

TEST_CASE("wrong arguments are a usage error") {
  Host host("00000000000000aa");
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {},
           {"fly"},
           {"run"},
           {"run", "--control", "x", "--port", "0"},
           {"run", "--control", "x", "--port", "6783", "y"},
           {"run", "--control", "x", "--port", "1", "--no-offload", "warp"}}) {
    std::vector<std::string> command{forwarder_binary()};
    command.insert(command.end(), arguments.begin(), arguments.end());
    CHECK(Process(command, host.network_namespace(), "/dev/null").wait() == 2);
  }
}

}  // namespace
}  // namespace weft::test
