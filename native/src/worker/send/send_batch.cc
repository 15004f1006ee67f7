#include "worker/send/send_batch.h"

#include <algorithm>

#include "worker/send/transmit.h"

namespace weft {
namespace {

// Rounded up from the largest UDP payload.
constexpr std::size_t slab_size = 65'536;

}  // namespace

SendBatch::SendBatch(WorkerContext& context)
    : context_(context), slab_(std::make_unique_for_overwrite<std::byte[]>(slab_size)) {}

Bytes SendBatch::claim(const PeerView& peer, unsigned port, std::size_t size) noexcept {
  const std::size_t prefix = peer.destination.prefix();
  const std::size_t stride = prefix + size;
  const bool joins = packets_ > 0 && peer_ == &peer && port_ == port && stride <= stride_ &&
                     used_ == packets_ * stride_ && used_ + stride <= max_segmented_payload &&
                     packets_ < context_.switches.max_segments.load(std::memory_order_relaxed);
  if (!joins) {
    flush();
    peer_ = &peer;
    port_ = port;
    stride_ = stride;
  }
  const Bytes room{slab_.get() + used_ + prefix, size};
  used_ += stride;
  ++packets_;
  return room;
}

void SendBatch::flush() noexcept {
  if (packets_ == 0) return;
  if (peer_->destination.hop != nullptr) write_relay_headers();
  transmit(context_, *peer_, port_, {slab_.get(), used_}, stride_, packets_);
  used_ = packets_ = 0;
  peer_ = nullptr;
}

void SendBatch::write_relay_headers() noexcept {
  const Session& hop = *peer_->destination.hop;
  RelayHeader header;
  header.lane = static_cast<std::uint8_t>(context_.lane);
  header.hop_key_index = hop.sealing.index();
  header.destination = peer_->id;
  header.source = self_;
  for (std::size_t at = 0; at < used_; at += stride_)
    encode(header, hop.hop_seal, {slab_.get() + at, std::min(stride_, used_ - at)});
}

}  // namespace weft
