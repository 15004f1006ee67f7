/// Reading and writing the queues of a TAP.
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/fd.h"
#include "packet/superframe/vnet.h"

namespace weft {

/// The result of a read or write.
struct TapResult {
  ssize_t size = 0;   ///< bytes including the vnet header; negative if nothing was read or written
  bool lost = false;  ///< the device has been deleted

  explicit operator bool() const noexcept { return size >= 0; }
};

/// One queue of a TAP. Never blocks.
class TapQueue {
 public:
  explicit TapQueue(Fd fd) noexcept : fd_(std::move(fd)) {}

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }

  /// Reads a vnet header and the frame or superframe behind it.
  [[nodiscard]] TapResult read(Bytes room) const noexcept;
  /// Writes one frame or superframe; the first part is its vnet header.
  [[nodiscard]] TapResult write(std::span<const iovec> parts) const noexcept;
  /// Writes a frame with a complete checksum. Returns false if the TAP does not take it.
  [[nodiscard]] bool write_frame(ConstBytes frame) const noexcept;

 private:
  Fd fd_;
};

/// The queues of one network's TAP.
struct TapQueues {
  std::string name;
  std::vector<TapQueue> queues;

  /// The queue that a worker writes to.
  [[nodiscard]] const TapQueue& of_lane(unsigned lane) const noexcept { return queues[lane % queues.size()]; }
  /// The queue for frames of the control thread.
  [[nodiscard]] const TapQueue& any() const noexcept { return queues.front(); }
};

}  // namespace weft
