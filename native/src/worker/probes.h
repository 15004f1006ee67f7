/// The workers' part in probing paths: probes of peers are answered at once; replies to our own probes, and
/// the sources of packets, are reported to the control thread. control/prober.h sends our own probes.
#pragma once

#include "worker/context.h"
#include "worker/send/send_batch.h"

namespace weft {

/// Where a packet came from.
struct PacketSource {
  Endpoint endpoint;         ///< the sender of a datagram
  IpAddress to;              ///< our address that the datagram was sent to
  Stream* stream = nullptr;  ///< the stream that the packet came on; null for a datagram
  bool relayed = false;
  bool aside = false;  ///< it left from a port that nothing is to be sent to
};

class Probes {
 public:
  Probes(WorkerContext& context, SendBatch& send_batch) noexcept
      : context_(context), send_batch_(send_batch) {}

  /// Answers a probe; the reply may still be in the send batch.
  void take_probe(const PollContext& poll, Session& session, ConstBytes content,
                  const PacketSource& source) noexcept;
  void take_reply(const PollContext& poll, const Session& session, ConstBytes content) noexcept;
  /// Reports an authenticated packet that came from another endpoint than the one in use for the peer.
  void note_source(const PollContext& poll, const Session& session, const PacketSource& source,
                   bool probe) noexcept;

 private:
  void send_reply(const PacketSource& source, ConstBytes packet) noexcept;

  WorkerContext& context_;
  SendBatch& send_batch_;
  PeerId last_source_peer_ = 0;  // the last report of `note_source`
  Endpoint last_source_;
  Micros last_source_at_ = 0;
};

}  // namespace weft
