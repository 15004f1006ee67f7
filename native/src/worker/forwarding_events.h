/// Passes what a worker's forwarding notices to the control thread.
#pragma once

#include "switch/forwarding.h"
#include "worker/events.h"

namespace weft {

class ForwardingEvents final : public ForwardingObserver {
 public:
  explicit ForwardingEvents(WorkerEvents& events) noexcept : events_(events) {}

  void mac_moved(std::uint16_t network, const MacAddress& mac, MacOwner from, MacOwner to) noexcept override {
    events_.post(
        {.kind = WorkerEvent::Kind::mac_moved, .network = network, .mac = mac, .from = from, .to = to});
  }
  void mac_seen(std::uint16_t network, const MacAddress& mac) noexcept override {
    events_.post({.kind = WorkerEvent::Kind::mac_seen, .network = network, .mac = mac});
  }
  void refused(std::uint16_t network, const MacAddress& mac, const IpAddress& address) noexcept override {
    events_.post({.kind = WorkerEvent::Kind::refused, .network = network, .mac = mac, .address = address});
  }
  void loop_probe(const LoopProbe& probe, MacOwner at) noexcept override {
    events_.post({.kind = WorkerEvent::Kind::loop_probe,
                  .network = probe.network,
                  .from = at,
                  .number = probe.number});
  }
  void hail(const Hail& hail, MacOwner from) noexcept override {
    events_.post({.kind = WorkerEvent::Kind::hail, .network = hail.network, .from = from, .id = hail.number});
  }
  void groups_changed(std::uint16_t network) noexcept override {
    events_.post({.kind = WorkerEvent::Kind::groups_changed, .network = network});
  }
  void group_left(std::uint16_t network, const IpAddress& group) noexcept override {
    events_.post({.kind = WorkerEvent::Kind::group_left, .network = network, .address = group});
  }
  void storm(std::uint16_t network) noexcept override {
    events_.post({.kind = WorkerEvent::Kind::storm, .network = network});
  }

 private:
  WorkerEvents& events_;
};

}  // namespace weft
