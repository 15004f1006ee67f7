/// Coalesces frames from the tunnel into superframes for a TAP: GRO, by the rules of the kernel.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/clock.h"
#include "packet/parse.h"
#include "packet/superframe/vnet.h"
#include "wire/header.h"

namespace weft {

/// Receives the finished frames.
class FrameSink {
 public:
  virtual ~FrameSink() = default;
  /// Writes one frame or superframe: `parts[0]` is the vnet header, and the bytes follow in order. `frames`
  /// is the number of frames that were coalesced.
  virtual void write_frame(std::uint16_t network, std::span<const iovec> parts, std::size_t frames) = 0;
};

/// The kinds of superframe that the TAP takes.
struct CoalesceOptions {
  bool tcp = true;
  bool udp = true;
};

/// Coalesces consecutive frames of a few flows, and keeps the order within a flow. Holds views of the frames,
/// whose memory must stay valid and unchanged until `flush`. Each worker has its own; it is not synchronised.
/// A superframe has a partial checksum, as the kernel's own have. The checksum of a frame that stays single
/// is completed, because raw sockets see the frame.
///
/// A raw socket takes datagrams that fit one frame together for one datagram if they are joined, so they stay
/// apart, except in bulk: there each of them would cost a write.
class Coalescer {
 public:
  explicit Coalescer(FrameSink& sink) noexcept : sink_(sink) {}

  /// Called at the beginning of each batch.
  void begin(CoalesceOptions options, Micros now) noexcept;

  /// Adds a frame of at least 14 bytes with its inner header. It may be written at once, or together with
  /// later ones.
  void add(const InnerFrame& inner, Bytes frame);
  /// Writes all frames that are held. Must be called at the end of a batch of received packets.
  void flush();

 private:
  static constexpr unsigned max_flows = 8;
  static constexpr std::size_t max_segments = 64;  // the kernel's limit for UDP
  // So many datagrams in so much time are bulk.
  static constexpr Micros bulk_window = 100 * microseconds_per_millisecond;
  static constexpr std::size_t bulk_datagrams = 500;

  /// Frames of one TCP or UDP flow that become one superframe.
  struct Flow {
    std::uint16_t network = 0;
    Bytes first;                      // first frame, whose headers become those of the superframe
    Layers layers;                    // of the first frame
    std::size_t segment_payload = 0;  // of every frame except the last
    std::size_t network_size = 0;     // size of the superframe's IP packet so far
    std::size_t frames = 0;
    bool fixed_id = false;  // every frame has the IPv4 id of the first
    bool push = false;
    VnetHeader vnet;
    std::array<iovec, max_segments + 1> parts;  // vnet header, first frame, later payloads
  };

  [[nodiscard]] bool join(Flow& flow, const InnerFrame& inner, Bytes frame);
  [[nodiscard]] bool may_start(const InnerFrame& inner, Bytes frame, const Layers& layers) const noexcept;
  void start(const InnerFrame& inner, Bytes frame, const Layers& layers);
  void finish(unsigned slot);
  void write_joined(Flow& flow);
  void write_apart(const Flow& flow);
  void write_alone(const InnerFrame& inner, Bytes frame);

  FrameSink& sink_;
  CoalesceOptions options_;
  bool bulk_ = false;
  Micros window_began_ = 0;
  std::size_t datagrams_ = 0;  // since then, of those that could be joined
  std::uint32_t active_ = 0;   // bit i is set if flows_[i] holds frames
  unsigned latest_ = 0;        // flow that the next frame most likely belongs to
  unsigned victim_ = 0;        // flow to finish next when all are in use
  std::array<Flow, max_flows> flows_;
};

}  // namespace weft
