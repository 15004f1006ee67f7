#include "cni/call.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "cni/cni_error.h"

namespace weft::cni {
namespace {

using nlohmann::json;

constexpr std::array versions{"0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"};
/// Of a configuration that does not say, by the specification.
constexpr std::string_view version_without = "0.1.0";
constexpr std::string_view default_run_directory = "/run/weft";
/// The kernel's limit, without the zero at the end.
constexpr std::size_t max_ifname = 15;
constexpr std::size_t max_id = 253;
/// Deeper than any configuration; a deeper one would need more stack than there may be.
constexpr int max_depth = 64;

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/// How networks and containers may be called.
bool is_id(std::string_view text) {
  const auto is_inner = [](char c) { return is_alphanumeric(c) || c == '_' || c == '.' || c == '-'; };
  return !text.empty() && text.size() <= max_id && is_alphanumeric(text.front()) &&
         std::all_of(text.begin(), text.end(), is_inner);
}

bool is_ifname(std::string_view text) {
  const auto is_wrong = [](char c) { return c == '/' || c == ':' || static_cast<unsigned char>(c) <= ' '; };
  return !text.empty() && text.size() <= max_ifname && text != "." && text != ".." &&
         std::none_of(text.begin(), text.end(), is_wrong);
}

/// Throws json::exception.
json parse(std::string_view text) {
  const auto shallow = [](int depth, json::parse_event_t, json&) {
    if (depth > max_depth) throw CniError(Code::decoding_failure, "the configuration is nested too deeply");
    return true;
  };
  return json::parse(text, shallow);
}

std::string text_of(const json& object, const char* key, std::string_view otherwise) {
  const auto found = object.find(key);
  if (found == object.end()) return std::string(otherwise);
  if (!found->is_string())
    throw CniError(Code::invalid_configuration, std::string("the configuration's ") + key + " is no text");
  return found->get<std::string>();
}

/// The variables that a command needs.
void check_presence(const Call& call) {
  const bool is_of_interface = call.command == "ADD" || call.command == "CHECK" || call.command == "DEL";
  const bool needs_netns = call.command == "ADD" || call.command == "CHECK";
  std::string missing;
  const auto need = [&missing](bool needed, const char* name, const std::string& value) {
    if (needed && value.empty()) missing += (missing.empty() ? "" : ", ") + std::string(name);
  };
  need(is_of_interface, "CNI_CONTAINERID", call.container_id);
  need(needs_netns, "CNI_NETNS", call.netns);
  need(is_of_interface, "CNI_IFNAME", call.ifname);
  need(true, "CNI_PATH", call.path);
  if (!missing.empty()) throw CniError(Code::bad_environment, call.command + " needs " + missing);
}

void check_names(const Call& call) {
  if (!call.container_id.empty() && !is_id(call.container_id))
    throw CniError(Code::bad_environment, "CNI_CONTAINERID cannot be the id of a container",
                   call.container_id);
  if (!call.ifname.empty() && !is_ifname(call.ifname))
    throw CniError(Code::bad_environment, "CNI_IFNAME cannot name an interface", call.ifname);
}

json read_configuration(std::string_view text) {
  json config;
  try {
    config = parse(text);
  } catch (const json::exception& error) {
    throw CniError(Code::decoding_failure, "the configuration on stdin is not JSON", error.what());
  }
  if (!config.is_object()) throw CniError(Code::decoding_failure, "the configuration on stdin is no object");
  const std::string version = text_of(config, "cniVersion", version_without);
  if (std::find(versions.begin(), versions.end(), version) == versions.end())
    throw CniError(Code::incompatible_version, "weft does not know version " + version + " of CNI",
                   "it knows " + supported_versions().dump());
  if (!is_id(text_of(config, "name", "")))
    throw CniError(Code::invalid_configuration, "the configuration has no name that a network can have");
  return config;
}

}  // namespace

json supported_versions() {
  return versions;
}

std::optional<std::string> Call::ipam() const {
  const auto found = config.find("ipam");
  if (found == config.end() || !found->is_object()) return std::nullopt;
  const std::string type = text_of(*found, "type", "");
  return type.empty() ? std::nullopt : std::optional(type);
}

std::string Call::run_directory() const {
  return text_of(config, "runDir", default_run_directory);
}

std::string version_in(std::string_view configuration) {
  try {
    return text_of(parse(configuration), "cniVersion", version_without);
  } catch (const std::exception&) {
    return versions.back();
  }
}

Call read_call(const Environment& environment, std::string_view configuration) {
  Call call;
  call.command = environment("CNI_COMMAND");
  call.container_id = environment("CNI_CONTAINERID");
  call.netns = environment("CNI_NETNS");
  call.ifname = environment("CNI_IFNAME");
  call.args = environment("CNI_ARGS");
  call.path = environment("CNI_PATH");
  constexpr std::array commands{"ADD", "DEL", "CHECK", "GC", "STATUS"};
  if (std::find(commands.begin(), commands.end(), call.command) == commands.end())
    throw CniError(Code::bad_environment, "CNI_COMMAND is none that weft knows", call.command);
  check_presence(call);
  check_names(call);
  call.config = read_configuration(configuration);
  return call;
}

json request_of(const Call& call, const json& ipam) {
  json request{{"command", call.command}, {"config", call.config}};
  const std::array<std::pair<const char*, const std::string*>, 4> texts{{{"containerId", &call.container_id},
                                                                         {"netns", &call.netns},
                                                                         {"ifname", &call.ifname},
                                                                         {"args", &call.args}}};
  for (const auto& [key, text] : texts)
    if (!text->empty()) request[key] = *text;
  if (!ipam.is_null()) request["ipam"] = ipam;
  return request;
}

}  // namespace weft::cni
