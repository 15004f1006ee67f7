/// One call of a container runtime: what it says in the environment and on stdin.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace weft::cni {

/// Versions of the specification whose configurations are known, as VERSION tells them.
nlohmann::json supported_versions();

/// A variable of the environment; empty when it is not there.
using Environment = std::function<std::string(const char* name)>;

struct Call {  // NOLINT(bugprone-exception-escape): what moves JSON checks by assertion only
  /// ADD, DEL, CHECK, GC or STATUS.
  std::string command;
  std::string container_id;
  std::string netns;
  std::string ifname;
  std::string args;
  /// Directories of plugins, with colons between them.
  std::string path;
  nlohmann::json config;

  /// Of the network.
  [[nodiscard]] std::string name() const { return config.at("name").get<std::string>(); }
  /// The plugin that gives addresses in place of weft.
  [[nodiscard]] std::optional<std::string> ipam() const;
  /// Where the router has its sockets.
  [[nodiscard]] std::string run_directory() const;
};

/// The `cniVersion` of a configuration; of one that cannot be read, the newest version.
std::string version_in(std::string_view configuration);

/// Reads a call of any command but VERSION. Throws CniError.
Call read_call(const Environment& environment, std::string_view configuration);

/// What the router is asked. `ipam` is the result of the plugin of addresses; null: there is none.
nlohmann::json request_of(const Call& call, const nlohmann::json& ipam);

}  // namespace weft::cni
