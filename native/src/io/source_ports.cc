#include "io/source_ports.h"

namespace weft {

SourcePorts::SourcePorts(unsigned count, unsigned workers) : workers_(workers) {
  while (this->count() < count) {
    sockets_.push_back(open_udp_source());
    numbers_.push_back(sockets_.back().port());
  }
}

}  // namespace weft
