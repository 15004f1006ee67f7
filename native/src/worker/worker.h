/// One thread of the data plane, run to completion: a packet is never handed to another thread.
#pragma once

#include <atomic>
#include <span>
#include <thread>

#include "io/epoll.h"
#include "state/epoch_reclaimer.h"
#include "worker/context.h"
#include "worker/decap.h"
#include "worker/encap.h"
#include "worker/forwarding_events.h"
#include "worker/send/send_batch.h"

namespace weft {

class Worker {
 public:
  /// `number` is its lane, its reader number in `snapshots`, and its queue of each TAP.
  Worker(unsigned number, unsigned workers, UdpSocket socket, const SourcePorts& sources,
         EpochReclaimer& snapshots, MacTable& macs, Switches& switches);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Starts the thread and waits until it runs. Throws Failure.
  void start();
  /// Stops the thread and waits for it.
  void stop() noexcept;

  /// Control thread: starts or stops watching this worker's queues of a network. The snapshot that has the
  /// network must be published first.
  void watch(std::uint16_t network, const TapQueues& taps);
  void unwatch(const TapQueues& taps) noexcept;
  /// Control thread: starts reading from the stream of the peer in that slot. It ends when the stream is
  /// unwatched.
  void watch(Stream& stream, PeerSlot slot);

  [[nodiscard]] const UdpSocket& socket() const noexcept { return socket_; }
  [[nodiscard]] const Counters& counters() const noexcept { return counters_; }
  [[nodiscard]] WorkerEvents& events() noexcept { return events_; }

 private:
  void run() noexcept;
  void handle(const PollContext& poll, std::span<const epoll_event> ready) noexcept;
  void handle_stream(const PollContext& poll, const epoll_event& event) noexcept;

  // These are aligned to cache lines, so they come first: behind other members they would need padding.
  Counters counters_;
  WorkerEvents events_;
  unsigned number_;
  unsigned workers_;
  UdpSocket socket_;
  EpochReclaimer& snapshots_;
  Epoll epoll_;
  Fd wake_;
  std::thread thread_;
  std::atomic<bool> running_{false};
  std::atomic<bool> stopping_{false};
  ForwardingEvents forwarding_events_;
  Forwarding forwarding_;
  WorkerContext context_;
  SendBatch send_batch_;
  Encap encap_;
  Decap decap_;
};

}  // namespace weft
