/// What a container runtime says in the environment and on stdin, right and wrong.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <map>
#include <string>

#include "cni/call.h"
#include "cni/cni_error.h"

using namespace weft::cni;
using nlohmann::json;

namespace {

using Variables = std::map<std::string, std::string>;

Variables adding() {
  return {{"CNI_COMMAND", "ADD"},
          {"CNI_CONTAINERID", "c1"},
          {"CNI_NETNS", "/run/netns/c1"},
          {"CNI_IFNAME", "eth0"},
          {"CNI_PATH", "/opt/cni/bin"}};
}

json configuration() {
  return {{"cniVersion", "1.0.0"}, {"name", "weft"}, {"type", "weft-cni"}};
}

Call read(const Variables& variables, const std::string& text) {
  const auto environment = [&variables](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::string() : found->second;
  };
  return read_call(environment, text);
}

/// The number of the error with which a call is refused; 0 when it is not.
int refusal(const Variables& variables, const std::string& text) {
  try {
    read(variables, text);
    return 0;
  } catch (const CniError& error) {
    return error.code();
  }
}

Variables with(Variables variables, const std::string& name, const std::string& value) {
  variables[name] = value;
  return variables;
}

std::string configured(const json& changes = json::object()) {
  json changed = configuration();
  changed.update(changes);
  return changed.dump();
}

}  // namespace

TEST_CASE("a call is read as it is sent, and asked of the router") {
  Variables variables = with(adding(), "CNI_ARGS", "IgnoreUnknown=1;K8S_POD_NAME=web");
  const Call call = read(variables, configured({{"network", "shop"}}));
  CHECK(call.name() == "weft");
  CHECK(call.run_directory() == "/run/weft");
  CHECK_FALSE(call.ipam().has_value());
  const json request = request_of(call, nullptr);
  CHECK(request == json{{"command", "ADD"},
                        {"containerId", "c1"},
                        {"netns", "/run/netns/c1"},
                        {"ifname", "eth0"},
                        {"args", "IgnoreUnknown=1;K8S_POD_NAME=web"},
                        {"config", json::parse(configured({{"network", "shop"}}))}});
  CHECK(request_of(call, json{{"ips", json::array()}})["ipam"] == json{{"ips", json::array()}});
}

TEST_CASE("what a command needs must be there, and what it does not need may be missing") {
  for (const char* name : {"CNI_CONTAINERID", "CNI_IFNAME", "CNI_PATH"})
    for (const char* command : {"ADD", "CHECK", "DEL"}) {
      CAPTURE(name);
      CAPTURE(command);
      CHECK(refusal(with(with(adding(), "CNI_COMMAND", command), name, ""), configured()) == 4);
    }
  const Variables without_netns = with(adding(), "CNI_NETNS", "");
  CHECK(refusal(without_netns, configured()) == 4);
  CHECK(refusal(with(without_netns, "CNI_COMMAND", "CHECK"), configured()) == 4);
  CHECK(refusal(with(without_netns, "CNI_COMMAND", "DEL"), configured()) == 0);
  for (const char* command : {"GC", "STATUS"}) {
    CHECK(refusal({{"CNI_COMMAND", command}, {"CNI_PATH", "/opt/cni/bin"}}, configured()) == 0);
    CHECK(refusal({{"CNI_COMMAND", command}}, configured()) == 4);
  }
  CHECK(refusal(with(adding(), "CNI_COMMAND", "MOVE"), configured()) == 4);
}

TEST_CASE("names are those that the specification allows") {
  for (const char* id : {"c1", "0-a_B.c", "A"})
    CHECK(refusal(with(adding(), "CNI_CONTAINERID", id), configured()) == 0);
  for (const char* id : {"../c1", "-c1", "c 1", "c/1", "\xc3\xa4"})
    CHECK(refusal(with(adding(), "CNI_CONTAINERID", id), configured()) == 4);
  for (const char* name : {"eth0", "a.b-c_d", "fifteen-letters"})
    CHECK(refusal(with(adding(), "CNI_IFNAME", name), configured()) == 0);
  for (const char* name : {".", "..", "a/b", "a:b", "a b", "sixteen-letters-"})
    CHECK(refusal(with(adding(), "CNI_IFNAME", name), configured()) == 4);
  for (const char* name : {"", "-weft", "two words"})
    CHECK(refusal(adding(), configured({{"name", name}})) == 7);
  CHECK(refusal(adding(), configured({{"name", 7}})) == 7);
}

TEST_CASE("a configuration is an object of a known version, and not deeper than any is") {
  for (const char* text : {"", "weft", "{\"name\":", "[]", "7"})
    CHECK(refusal(adding(), text) == 6);
  CHECK(refusal(adding(), std::string(100'000, '[')) == 6);
  for (const char* version : {"0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"})
    CHECK(refusal(adding(), configured({{"cniVersion", version}})) == 0);
  for (const char* version : {"0.2.0", "2.0.0", "", "one"})
    CHECK(refusal(adding(), configured({{"cniVersion", version}})) == 1);
  CHECK(refusal(adding(), R"({"name":"weft"})") == 1);
}

TEST_CASE("a failure is told in the version of the configuration, if that can be read") {
  CHECK(version_in(configured({{"cniVersion", "0.4.0"}})) == "0.4.0");
  CHECK(version_in(R"({"name":"weft"})") == "0.1.0");
  CHECK(version_in("weft") == "1.1.0");
}

TEST_CASE("another plugin gives addresses where the configuration names one") {
  CHECK(read(adding(), configured({{"ipam", {{"type", "host-local"}}}})).ipam() == "host-local");
  CHECK_FALSE(read(adding(), configured({{"ipam", json::object()}})).ipam().has_value());
  CHECK(read(adding(), configured({{"runDir", "/run/other"}})).run_directory() == "/run/other");
}
