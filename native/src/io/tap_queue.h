/// The only reader and writer of TAPs.
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

/// What came of reading or writing.
struct TapResult {
  ssize_t size = 0;   ///< bytes with the vnet header; less than 0: nothing came, or nothing was taken
  bool lost = false;  ///< the device was deleted

  explicit operator bool() const noexcept { return size >= 0; }
};

/// One queue of a TAP. Never blocks.
class TapQueue {
 public:
  explicit TapQueue(Fd fd) noexcept : fd_(std::move(fd)) {}

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }

  /// Reads one vnet header and its frame, perhaps a superframe.
  [[nodiscard]] TapResult read(Bytes room) const noexcept;
  /// Writes one frame or superframe; the first part is its vnet header.
  [[nodiscard]] TapResult write(std::span<const iovec> parts) const noexcept;
  /// Writes a frame that needs nothing of the kernel. False if the TAP does not take it.
  bool write_frame(ConstBytes frame) const noexcept;

 private:
  Fd fd_;
};

/// The queues of one network's TAP.
struct TapQueues {
  std::string name;
  std::vector<TapQueue> queues;

  /// The one that a worker writes to.
  [[nodiscard]] const TapQueue& of_lane(unsigned lane) const noexcept { return queues[lane % queues.size()]; }
  /// For what no worker sends.
  [[nodiscard]] const TapQueue& any() const noexcept { return queues.front(); }
};

}  // namespace weft
