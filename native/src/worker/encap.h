/// From a TAP into the tunnel. A frame passes these steps:
///   1. Read: one call takes a frame with its vnet header, perhaps a superframe of 64 KiB. Its headers are
///      parsed once.
///   2. Forward: switch/forwarding.h decides to which peers the frame goes, that it is dropped, or that it is
///      answered.
///   3. Size: the path MTU and the other side's MTU say how much fits for each peer. The MSS of a TCP SYN is
///      clamped to that.
///   4. Segment: a superframe is cut into frames that fit, in place for the last peer that gets it.
///   5. Fragment: a frame that is too big all the same is refused with an ICMP message if it may not be
///      fragmented; otherwise it is cut by the rules of IPv4, or by the tunnel's own.
///   6. Seal: the frame's flow chooses the source port. Counters are reserved for all pieces at once, and
///      each piece is sealed straight into the send batch, which leaves with one call when it is full, or at
///      the end of the poll.
#pragma once

#include <memory>
#include <span>

#include "packet/parse.h"
#include "packet/superframe/segment.h"
#include "packet/superframe/vnet.h"
#include "worker/context.h"
#include "worker/send/send_batch.h"

namespace weft {

class Encap {
 public:
  Encap(WorkerContext& context, SendBatch& send_batch);

  /// Reads at most `budget` frames from a queue of `network`'s TAP and sends them to the peers. Packets may
  /// still be in the send batch. Returns true if there may be more.
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
  void give_back(const PollContext& poll, Outgoing& out, PeerId router) noexcept;
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

  void choose_port(const PeerView& peer, const Outgoing& out) noexcept;

  WorkerContext& context_;
  SendBatch& send_batch_;
  unsigned port_ = 0;                     // source port of the packets of the frame at hand
  unsigned lane_;                         // their lane
  std::unique_ptr<std::byte[]> buffer_;   // the frame or superframe as read
  std::unique_ptr<std::byte[]> scratch_;  // one frame, when `buffer_` must stay whole for further peers
  Micros answers_since_ = 0;
  unsigned answers_ = 0;
};

}  // namespace weft
