/// From a TAP into the tunnel.
#pragma once

#include <memory>
#include <optional>
#include <span>

#include "packet/group_report.h"
#include "packet/parse.h"
#include "packet/segment.h"
#include "packet/vnet.h"
#include "worker/context.h"
#include "worker/flood_limit.h"
#include "worker/new_groups.h"
#include "worker/run_sender.h"
#include "worker/strangers.h"

namespace weft {

class Egress {
 public:
  Egress(WorkerContext& context, RunSender& sender);

  /// Reads at most `budget` frames from a queue of `network`'s TAP and sends them where they belong. What was
  /// sent may still be in the sender. True if there may be more.
  bool drain(const Batch& batch, const NetworkView& network, const TapQueue& queue, unsigned budget) noexcept;

 private:
  /// A frame or superframe from a TAP, parsed once.
  struct Outgoing {
    const NetworkView& network;
    const TapQueue& queue;
    VnetHeader vnet;
    Bytes frame;
    Layers layers;
  };

  void handle(const Batch& batch, const NetworkView& network, const TapQueue& queue,
              std::size_t size) noexcept;
  bool take_loop_probe(const Batch& batch, const Outgoing& out) noexcept;
  bool admit_source(const Batch& batch, const Outgoing& out) noexcept;
  bool admit_claims(const Batch& batch, const Outgoing& out) noexcept;
  void tell_stranger(const Batch& batch, std::uint16_t network, const MacAddress& mac) noexcept;
  void tell_refused(const Batch& batch, const Outgoing& out, const IpAddress& address) noexcept;
  void learn(const Batch& batch, const Outgoing& out) noexcept;
  void handle_group(const Batch& batch, Outgoing& out) noexcept;
  bool answer_neighbour(const Batch& batch, const Outgoing& out) noexcept;
  void write_back(const Outgoing& out, ConstBytes frame, Counter counter) noexcept;
  void take_group_message(const Batch& batch, const Outgoing& out, const GroupMessageKind& message) noexcept;
  void flood(const Batch& batch, Outgoing& out) noexcept;
  [[nodiscard]] bool admit_flood(const Batch& batch, std::uint16_t network) noexcept;
  void send_to_group(const Batch& batch, Outgoing& out, std::span<const PeerSlot> peers) noexcept;
  void send_to_all(const Batch& batch, Outgoing& out, std::span<const PeerSlot> peers) noexcept;
  [[nodiscard]] std::optional<MacOwner> owner_of(const Batch& batch, std::uint16_t network,
                                                 const MacAddress& mac) const noexcept;
  void send_to(const Batch& batch, const PeerView& peer, Outgoing& out, bool last) noexcept;
  void send_superframe(const Batch& batch, const PeerView& peer, Outgoing& out, bool last) noexcept;
  void send_frame(const Batch& batch, const PeerView& peer, const Outgoing& out, Bytes frame) noexcept;
  bool send_ip_fragments(const PeerView& peer, Bytes content, std::size_t max_frame) noexcept;
  void send_fragments(const PeerView& peer, ConstBytes content) noexcept;
  void seal(const PeerView& peer, ConstBytes content) noexcept;
  void seal(const PeerView& peer, std::uint64_t counter, const std::byte* content, Bytes packet) noexcept;
  void refuse(const Batch& batch, const Outgoing& out, ConstBytes frame, std::size_t limit) noexcept;
  [[nodiscard]] bool may_answer(Micros now) noexcept;

  WorkerContext& context_;
  RunSender& sender_;
  std::unique_ptr<std::byte[]> buffer_;   // what was read
  std::unique_ptr<std::byte[]> scratch_;  // one frame, when `buffer_` must stay whole for further peers
  FloodLimit flood_limit_;
  NewGroups new_groups_;
  Strangers strangers_;
  Sighting last_sighting_;
  std::uint32_t refused_second_ = 0;
  unsigned refused_ = 0;
  Micros loop_told_ = 0;
  Micros answers_since_ = 0;
  unsigned answers_ = 0;
};

}  // namespace weft
