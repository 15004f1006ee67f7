/// Joins frames that came through the tunnel into superframes for a TAP: GRO, by the kernel's rules.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "packet/parse.h"
#include "packet/vnet.h"
#include "wire/bytes.h"
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
/// until `flush`. One a worker; not synchronised. Frames of one flow keep their order.
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
  static constexpr std::size_t max_flows = 8;
  static constexpr std::size_t max_parts = 64;  // payloads after the first frame

  struct Flow {
    std::uint16_t network = 0;
    Bytes first;              // headers and first payload
    Layers layers;            // of the first frame
    std::size_t payload = 0;  // bytes of each segment but the last
    std::size_t total = 0;    // IP packet length so far
    std::uint32_t next_sequence = 0;
    std::uint16_t next_id = 0;
    bool fixed_id = false;
    bool closed = false;    // a short or PSH segment was the last one that may join
    std::size_t parts = 0;  // in iov, vnet header included
    VnetHeader vnet;
    std::array<iovec, max_parts + 2> iov;
  };

  void write_single(const InnerFrame& inner, Bytes frame);
  void finish(Flow& flow);

  FrameSink& sink_;
  CoalesceOptions options_;
  std::size_t used_ = 0;
  std::array<Flow, max_flows> flows_;
};

}  // namespace weft
