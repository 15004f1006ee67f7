/// Probes of a path as a worker gets them: it answers those of peers at once, and hands the answers to our
/// own, and where packets came from, to the control thread. Our own probes leave from control/prober.h.
#pragma once

#include "worker/context.h"
#include "worker/send/send_batch.h"

namespace weft {

/// How a packet came.
struct PacketSource {
  Endpoint endpoint;         ///< of a datagram
  IpAddress to;              ///< the address of ours that it was sent to
  Stream* stream = nullptr;  ///< what it came on if it was no datagram
  bool relayed = false;
};

class Probes {
 public:
  Probes(WorkerContext& context, SendBatch& send_batch) noexcept
      : context_(context), send_batch_(send_batch) {}

  /// Answers a probe; the reply may still be in the send batch.
  void take_probe(const PollContext& poll, Session& session, ConstBytes content,
                  const PacketSource& source) noexcept;
  void take_reply(const PollContext& poll, const Session& session, ConstBytes content) noexcept;
  /// An authenticated packet came from where the peer is not known to be.
  void note_source(const PollContext& poll, const Session& session, const PacketSource& source,
                   bool probe) noexcept;

 private:
  void send_reply(const PacketSource& source, ConstBytes packet) noexcept;

  WorkerContext& context_;
  SendBatch& send_batch_;
  PeerId last_source_peer_ = 0;  // what `note_source` told last, and when
  Endpoint last_source_;
  Micros last_source_at_ = 0;
};

}  // namespace weft
