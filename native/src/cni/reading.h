/// Reading from a descriptor that may never end.
#pragma once

#include <string>

#include "cni/deadline.h"

namespace weft::cni {

/// All that comes until the end. Throws CniError when that takes too long, or is more than `limit` bytes;
/// `what` says what was read.
std::string read_all(int fd, std::size_t limit, const Deadline& deadline, const std::string& what);

/// All of stdin, which a runtime writes at once. Throws CniError.
std::string read_input(const std::string& what);

}  // namespace weft::cni
