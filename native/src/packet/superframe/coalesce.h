/// Joins frames that came through the tunnel into superframes for a TAP: GRO, by the kernel's rules.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "packet/parse.h"
#include "packet/superframe/vnet.h"
#include "wire/header.h"

namespace weft {

/// Where finished frames go.
class FrameSink {
 public:
  virtual ~FrameSink() = default;
  /// One frame or superframe: `parts[0]` is the vnet header, then come the bytes in order. `frames` were
  /// joined.
  virtual void write_frame(std::uint16_t network, std::span<const iovec> parts, std::size_t frames) = 0;
};

/// Which kinds of superframe the TAP takes.
struct CoalesceOptions {
  bool tcp = true;
  bool udp = true;
};

/// Joins consecutive frames of a few flows. Holds views of the frames, so their memory must live, untouched,
/// until `flush`. One a worker; not synchronised. Frames of one flow keep their order. A superframe has a
/// partial checksum, as the kernel's own; that of a frame which stays alone is completed, because raw sockets
/// see it.
class Coalescer {
 public:
  explicit Coalescer(FrameSink& sink) noexcept : sink_(sink) {}

  void set_options(CoalesceOptions options) noexcept { options_ = options; }

  /// Takes a frame of at least 14 bytes with what its inner header said. It may be written at once, or with
  /// later ones.
  void add(const InnerFrame& inner, Bytes frame);
  /// Writes what is held; to be called when a batch of received packets ends.
  void flush();

 private:
  static constexpr unsigned max_flows = 8;
  static constexpr std::size_t max_segments = 64;  // what kernels cut a UDP superframe into at most

  /// Frames of one TCP or UDP flow that become one superframe.
  struct Flow {
    std::uint16_t network = 0;
    Bytes first;                      // headers and first payload; the headers are those of all
    Layers layers;                    // of the first
    std::size_t segment_payload = 0;  // of each frame but the last
    std::size_t network_size = 0;     // IP packet of the superframe so far
    std::size_t frames = 0;
    bool fixed_id = false;  // every frame has the first one's IPv4 id
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
  std::uint32_t active_ = 0;  // bit i: flows_[i] holds frames
  unsigned latest_ = 0;       // where the next frame most likely belongs
  unsigned victim_ = 0;       // the next to go when all are taken
  std::array<Flow, max_flows> flows_;
};

}  // namespace weft
