#include "cni/plugin.h"

#include <cstdlib>
#include <exception>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "cni/call.h"
#include "cni/cni_error.h"
#include "cni/delegate.h"
#include "cni/reading.h"
#include "cni/removals.h"
#include "cni/router.h"
#include "version.h"

namespace weft::cni {
namespace {

using nlohmann::json;

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// What the router answers: a result, or null. Throws what it says is wrong.
json answer_of(const Call& call, const json& ipam, Patience patience) {
  const json answer = ask_router(call.run_directory(), "/cni", request_of(call, ipam), patience);
  const auto error = answer.find("error");
  if (error == answer.end()) return answer.value("result", json());
  throw CniError(error->at("code").get<int>(), error->at("msg").get<std::string>(),
                 error->value("details", ""));
}

/// After an ADD that failed: what the plugin of addresses gave is nobody's.
void give_back(const Call& call, const std::string& type) noexcept {
  try {
    delegate(call, type, "DEL");
  } catch (const std::exception& error) {
    std::cerr << "weft-cni: its addresses are not given back: " << error.what() << '\n';
  }
}

json add(const Call& call) {
  const auto type = call.ipam();
  const json ipam = type ? delegate(call, *type, "ADD") : json();
  try {
    return answer_of(call, ipam, starting);
  } catch (...) {
    if (type) give_back(call, *type);
    throw;
  }
}

/// A runtime does not go on before this is done: what the router cannot do now it does later.
void remove(const Call& call) {
  try {
    answer_of(call, json(), at_once);
  } catch (const RouterAbsent&) {
    note_removal(call);
  }
  if (const auto type = call.ipam()) delegate(call, *type, "DEL");
}

/// CHECK, GC and STATUS: both must be well, and both are asked.
void ask_both(const Call& call) {
  std::exception_ptr failure;
  try {
    answer_of(call, json(), at_once);
  } catch (...) {
    failure = std::current_exception();
  }
  if (const auto type = call.ipam()) delegate(call, *type, call.command);
  if (failure) std::rethrow_exception(failure);
}

json obey(const Call& call) {
  try {
    if (call.command == "ADD") return add(call);
    if (call.command == "DEL")
      remove(call);
    else
      ask_both(call);
    return nullptr;
  } catch (const RouterAbsent& absent) {
    throw CniError(call.command == "STATUS" ? Code::not_available : Code::try_again_later, absent.what());
  }
}

int about() {
  std::cerr << "weft-cni " << version << ": the CNI plugin of weft, for versions "
            << supported_versions().dump()
            << " of the specification\nA container runtime runs it: `weft cni install`.\n";
  return EXIT_SUCCESS;
}

json version_object(const std::string& configuration) {
  return {{"cniVersion", version_in(configuration)}, {"supportedVersions", supported_versions()}};
}

}  // namespace

int run() {
  if (variable("CNI_COMMAND").empty()) return about();
  std::string configuration;
  try {
    configuration = read_input("the configuration");
    const bool is_version = variable("CNI_COMMAND") == "VERSION";
    const json result = is_version ? version_object(configuration) : obey(read_call(variable, configuration));
    if (!result.is_null()) std::cout << result.dump() << '\n';
    return EXIT_SUCCESS;
  } catch (const CniError& error) {
    std::cout << json{{"cniVersion", version_in(configuration)},
                      {"code", error.code()},
                      {"msg", error.what()},
                      {"details", error.details()}}
                     .dump()
              << '\n';
    return EXIT_FAILURE;
  }
}

}  // namespace weft::cni
