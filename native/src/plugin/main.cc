/// What container runtimes run to have a container on the network of this host's router: as a plugin of CNI,
/// or with arguments as Podman's network driver. docs/cni.md.
#include <cstdlib>
#include <exception>
#include <iostream>
#include <nlohmann/json.hpp>

#include "cni/cni_error.h"
#include "cni/plugin.h"
#include "netavark/netavark.h"

int main(int argc, char** argv) {
  try {
    if (argc > 1) return weft::netavark::obey({argv + 1, static_cast<std::size_t>(argc - 1)});
    return weft::cni::run();
  } catch (const std::exception& error) {
    std::cout << nlohmann::json{{"cniVersion", "1.0.0"},
                                {"code", static_cast<int>(weft::cni::Code::internal)},
                                {"msg", error.what()},
                                {"details", ""}}
                     .dump()
              << '\n';
    return EXIT_FAILURE;
  }
}
