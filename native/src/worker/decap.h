/// From the tunnel to the TAPs. A packet passes these steps:
///   1. Receive: one call takes many datagrams (`UDP_GRO`), or what a TCP stream has. A packet for another
///      router is relayed in the memory that it came in (relay.h); one for us loses its relay header.
///   2. Session: the key index in the clear header finds it. A plain packet is taken only where both ends
///      trust the wire.
///   3. Open: the packet is opened in place, and the replay window is checked. From here on it is the peer's.
///   4. Dispatch: a probe is answered and a reply is reported (probes.h), fragments are reassembled, and a
///   frame
///      goes on.
///   5. Admit: the source MAC is learned behind the peer or refused (switch/forwarding.h), and the MSS of a
///      TCP SYN is clamped.
///   6. Coalesce: frames of one flow are joined to a superframe, which is written to the TAP once.
#pragma once

#include <memory>

#include "packet/superframe/coalesce.h"
#include "worker/context.h"
#include "worker/probes.h"
#include "worker/relay.h"
#include "worker/send/send_batch.h"

namespace weft {

class Decap final : private FrameSink {
 public:
  Decap(WorkerContext& context, SendBatch& send_batch);

  /// Receives at most `budget` buffers of datagrams and delivers the packets in them. Replies to probes may
  /// still be in the send batch. Returns true if there may be more.
  bool drain(const PollContext& poll, unsigned budget) noexcept;
  /// Does the same for a stream that this worker reads.
  void drain(const PollContext& poll, Stream& stream) noexcept;

 private:
  /// Packets and bytes of one peer that are not in the traffic table yet.
  struct Tally {
    const Session* session = nullptr;
    std::size_t packets = 0;
    std::size_t bytes = 0;
  };

  void begin(const PollContext& poll) noexcept;
  void end(const PollContext& poll) noexcept;
  void handle_packets(const PollContext& poll, Stream& stream) noexcept;
  void lose(Stream& stream) noexcept;
  void handle_packet(const PollContext& poll, Bytes packet, PacketSource& source) noexcept;
  void handle_buffer(const PollContext& poll, Bytes data, const Received& received) noexcept;
  void handle_sealed(const PollContext& poll, Bytes packet, PacketSource& source) noexcept;
  [[nodiscard]] static bool may_be_plain(const Session& session, const PacketSource& source) noexcept;
  [[nodiscard]] OpenResult open(Session& session, const SealedHeader& header, Bytes packet) noexcept;
  void handle_frame(const PollContext& poll, const Session& session, Bytes content) noexcept;
  void handle_fragment(const PollContext& poll, Session& session, unsigned lane, Bytes content) noexcept;
  void settle(const PollContext& poll) noexcept;
  void write_frame(std::uint16_t number, std::span<const iovec> parts, std::size_t frames) override;

  WorkerContext& context_;
  Probes probes_;
  Relay relay_;
  Coalescer coalescer_;
  const PollContext* poll_ = nullptr;  // while draining, for `write_frame`
  Tally tally_;
  std::unique_ptr<std::byte[]> buffers_;
  std::unique_ptr<std::byte[]> reassembled_;
};

}  // namespace weft
