/// What ip(8) of some distributions cannot set yet.
#pragma once

#include <cstdint>
#include <string>

namespace weft {

/// Has the bridge learn at most so many MAC addresses by itself; 0: as many as there are. Kernels before 6.8
/// know no limit and take no notice. Throws Failure.
void limit_learning(const std::string& bridge, std::uint32_t addresses);

}  // namespace weft
