/// Another plugin of the runtime, which gives addresses in place of weft.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "cni/call.h"

namespace weft::cni {

/// Runs the plugin `type` with the environment and the configuration of the call, but with this command.
/// Gives what it printed: its result, or null. Throws CniError, also with what the plugin says when it fails.
nlohmann::json delegate(const Call& call, const std::string& type, const std::string& command);

}  // namespace weft::cni
