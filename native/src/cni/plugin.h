/// The network plugin that container runtimes run: docs/cni.md.
#pragma once

namespace weft::cni {

/// Does what the environment says, with a configuration on stdin, and gives the exit code. The result, or
/// what went wrong, is told on stdout as JSON. Throws what is no CniError.
int run();

}  // namespace weft::cni
