/// The router's API: HTTP on its UNIX socket.
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>

namespace weft::cni {

struct Patience {
  /// For a router that is being started.
  std::chrono::milliseconds to_connect;
  std::chrono::milliseconds to_answer;
};

inline constexpr Patience at_once{.to_connect = std::chrono::seconds(0),
                                  .to_answer = std::chrono::seconds(30)};
/// A container that starts with its host waits for the router.
inline constexpr Patience starting{.to_connect = std::chrono::seconds(30),
                                   .to_answer = std::chrono::seconds(60)};

/// Posts a request to the router of a run directory and gives its answer. Throws RouterAbsent when it is not
/// running or does not answer, and CniError when it refuses the request as such.
nlohmann::json ask_router(const std::string& run_directory, const std::string& path,
                          const nlohmann::json& request, Patience patience);

}  // namespace weft::cni
