/// Further UDP ports that packets leave from. The network between two routers spreads packets over its links
/// and queues, and limits them, by their addresses and ports: from several ports one pair of routers is
/// several flows to it.
#pragma once

#include <cstdint>
#include <vector>

#include "io/udp_socket.h"
#include "wire/header.h"

namespace weft {

/// Port 0 is the router's own, which has sockets of its own; the others are numbered from 1. They are ports
/// of the kernel's choice, one socket for all workers. Nothing is received on them: answers come to the
/// router's own port.
class SourcePorts {
 public:
  static constexpr unsigned max_count = 16;

  /// `count` includes the router's own port. Throws Failure.
  SourcePorts(unsigned count, unsigned workers);

  [[nodiscard]] unsigned count() const noexcept { return static_cast<unsigned>(sockets_.size()) + 1; }
  /// `port` is at least 1.
  [[nodiscard]] const UdpSocket& socket(unsigned port) const noexcept { return sockets_[port - 1]; }
  /// The lane on which a worker sends from `port`, which is at least 1. Packets from different ports overtake
  /// each other by more than a replay window allows, so each worker has a lane for each port. Ports share
  /// lanes only when there are more of them than lanes.
  [[nodiscard]] unsigned lane(unsigned port, unsigned worker) const noexcept {
    return own_port_lanes + ((port - 1) * workers_ + worker) % side_lanes;
  }
  /// The port numbers, without the router's own.
  [[nodiscard]] const std::vector<std::uint16_t>& numbers() const noexcept { return numbers_; }

 private:
  unsigned workers_;
  std::vector<UdpSocket> sockets_;
  std::vector<std::uint16_t> numbers_;  // asked for now: the sandbox does not let the forwarder ask later
};

}  // namespace weft
