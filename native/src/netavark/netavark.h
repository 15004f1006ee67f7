/// The network driver of Podman, which netavark runs: docs/cni.md.
#pragma once

#include <span>

namespace weft::netavark {

/// Obeys `create`, `setup NETNS`, `teardown NETNS` or `info`, of which the first three have JSON on stdin,
/// and gives the exit code. What went wrong is told on stdout, as JSON.
int obey(std::span<char*> arguments);

}  // namespace weft::netavark
