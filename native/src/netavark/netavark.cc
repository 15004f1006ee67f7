#include "netavark/netavark.h"

#include <cstdlib>
#include <exception>
#include <iostream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>

#include "cni/cni_error.h"
#include "cni/reading.h"
#include "cni/router.h"
#include "version.h"

namespace weft::netavark {
namespace {

using nlohmann::json;

constexpr std::string_view api_version = "1.0.0";

std::string run_directory() {
  const char* const chosen = std::getenv("WEFT_RUN_DIR");
  return chosen == nullptr ? "/run/weft" : chosen;
}

/// Each of a container's networks is asked for all of its ports, so a refusal would be one for those that
/// publish, too.
void tell_of_ports(const json& body) {
  const auto ports = body.find("port_mappings");
  if (ports == body.end() || !ports->is_array() || ports->empty()) return;
  std::cerr << "weft: publishes no ports: a second network of the container, of the driver bridge, does\n";
}

json ask(const std::string& command, const std::string& netns, cni::Patience patience) {
  json request{{"command", command}, {"body", json::parse(cni::read_input("the request"))}};
  if (command == "setup") tell_of_ports(request["body"]);
  if (!netns.empty()) request["netns"] = netns;
  return cni::ask_router(run_directory(), "/netavark", request, patience);
}

json answer_to(std::span<char*> arguments) {
  const std::string command = arguments.front();
  const std::string netns = arguments.size() > 1 ? arguments[1] : "";
  if (command == "info") return {{"version", version}, {"api_version", api_version}};
  if (command == "create") return ask(command, netns, cni::at_once);
  if (command == "setup") return ask(command, netns, cni::starting);
  if (command != "teardown") throw std::invalid_argument("there is no command " + command);
  try {
    return ask(command, netns, cni::at_once);
  } catch (const cni::RouterAbsent& absent) {
    // The namespace goes, and the router gives back what was in it once it runs again.
    std::cerr << "weft: " << absent.what() << '\n';
    return nullptr;
  }
}

}  // namespace

int obey(std::span<char*> arguments) {
  try {
    const json answer = answer_to(arguments);
    if (!answer.is_null()) std::cout << answer.dump() << '\n';
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    std::cout << json{{"error", error.what()}}.dump() << '\n';
    return EXIT_FAILURE;
  }
}

}  // namespace weft::netavark
