/// From the tunnel to the TAPs.
#pragma once

#include <memory>

#include "packet/coalesce.h"
#include "worker/context.h"
#include "worker/relay.h"
#include "worker/run_sender.h"

namespace weft {

class Ingress final : private FrameSink {
 public:
  Ingress(WorkerContext& context, RunSender& sender);

  /// Receives at most `budget` buffers of datagrams and delivers what is in them. Replies to probes may still
  /// be in the sender. True if there may be more.
  bool drain(const PollContext& poll, unsigned budget) noexcept;
  /// The same for a stream that is this worker's.
  void drain(const PollContext& poll, Stream& stream) noexcept;

 private:
  /// What was counted for one peer and not added yet.
  struct Tally {
    const Session* session = nullptr;
    std::size_t packets = 0;
    std::size_t bytes = 0;
  };
  /// How a packet came.
  struct Source {
    Endpoint endpoint;         // of a datagram
    IpAddress to;              // of ours
    Stream* stream = nullptr;  // else
    bool relayed = false;
  };

  void begin(const PollContext& poll) noexcept;
  void end(const PollContext& poll) noexcept;
  void handle_packets(const PollContext& poll, Stream& stream) noexcept;
  void lose(Stream& stream) noexcept;
  void handle_packet(const PollContext& poll, Bytes packet, Source& source) noexcept;
  void handle_buffer(const PollContext& poll, Bytes data, const Received& received) noexcept;
  void handle_sealed(const PollContext& poll, Bytes packet, const Source& source) noexcept;
  [[nodiscard]] static bool may_be_plain(const Session& session, const Source& source) noexcept;
  [[nodiscard]] OpenResult open(Session& session, const SealedHeader& header, Bytes packet) noexcept;
  void handle_frame(const PollContext& poll, const Session& session, Bytes content) noexcept;
  void handle_fragment(const PollContext& poll, Session& session, unsigned lane, Bytes content) noexcept;
  void handle_probe(const PollContext& poll, Session& session, ConstBytes content,
                    const Source& source) noexcept;
  void send_reply(const Source& source, ConstBytes packet) noexcept;
  void handle_reply(const PollContext& poll, const Session& session, ConstBytes content) noexcept;
  void note_source(const PollContext& poll, const Session& session, const Source& source,
                   bool probe) noexcept;
  void settle(const PollContext& poll) noexcept;
  void count_drop(WireError error) noexcept;
  void write_frame(std::uint16_t number, std::span<const iovec> parts, std::size_t frames) override;

  WorkerContext& context_;
  RunSender& sender_;
  Relay relay_;
  Coalescer coalescer_;
  const PollContext* poll_ = nullptr;  // while draining, for `write_frame`
  Tally tally_;
  std::unique_ptr<std::byte[]> buffers_;
  std::unique_ptr<std::byte[]> reassembled_;
  PeerId last_source_peer_ = 0;  // what `note_source` told last, and when
  Endpoint last_source_;
  Micros last_source_at_ = 0;
};

}  // namespace weft
