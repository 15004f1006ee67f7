/// From a TAP into the tunnel.
#pragma once

#include <memory>
#include <span>

#include "packet/parse.h"
#include "packet/segment.h"
#include "packet/vnet.h"
#include "worker/context.h"
#include "worker/run_sender.h"

namespace weft {

class Egress {
 public:
  Egress(WorkerContext& context, RunSender& sender);

  /// Reads at most `budget` frames from a queue of `network`'s TAP and sends them where they belong. What was
  /// sent may still be in the sender. True if there may be more.
  bool drain(const PollContext& poll, const NetworkView& network, const TapQueue& queue,
             unsigned budget) noexcept;

 private:
  /// A frame or superframe from a TAP, parsed once.
  struct Outgoing {
    const NetworkView& network;
    const TapQueue& queue;
    VnetHeader vnet;
    Bytes frame;
    Layers layers;
  };

  void handle(const PollContext& poll, const NetworkView& network, const TapQueue& queue,
              std::size_t size) noexcept;
  void carry_out(const PollContext& poll, Outgoing& out, const Decision& decision) noexcept;
  void answer_neighbour(const Outgoing& out, const Decision& decision) noexcept;
  void write_back(const Outgoing& out, ConstBytes frame, Counter counter) noexcept;
  void send_to_all(const PollContext& poll, Outgoing& out, std::span<const PeerSlot> peers) noexcept;
  void send_to(const PollContext& poll, const PeerView& peer, Outgoing& out, bool last) noexcept;
  void send_superframe(const PollContext& poll, const PeerView& peer, Outgoing& out, bool last) noexcept;
  void send_frame(const PollContext& poll, const PeerView& peer, const Outgoing& out, Bytes frame) noexcept;
  bool send_ip_fragments(const PeerView& peer, Bytes content, std::size_t max_frame) noexcept;
  void send_fragments(const PeerView& peer, ConstBytes content) noexcept;
  void seal(const PeerView& peer, ConstBytes content) noexcept;
  void seal(const PeerView& peer, std::uint64_t counter, const std::byte* content, Bytes packet) noexcept;
  void refuse(const PollContext& poll, const Outgoing& out, ConstBytes frame, std::size_t limit) noexcept;
  [[nodiscard]] bool may_answer(Micros now) noexcept;

  WorkerContext& context_;
  RunSender& sender_;
  std::unique_ptr<std::byte[]> buffer_;   // what was read
  std::unique_ptr<std::byte[]> scratch_;  // one frame, when `buffer_` must stay whole for further peers
  Micros answers_since_ = 0;
  unsigned answers_ = 0;
};

}  // namespace weft
