/// What is to be removed once a router runs again.
#pragma once

#include "cni/call.h"

namespace weft::cni {

/// Notes the interface of a DEL below the run directory, where the router finds it when it starts. It lasts
/// as long as the interface could: until the machine is booted. Throws CniError.
void note_removal(const Call& call);

}  // namespace weft::cni
