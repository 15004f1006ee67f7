/// Which kernel offloads work here: tried, not guessed from version numbers.
#pragma once

#include <array>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>

#include "offload/switches.h"

namespace weft {

/// What was found out about each offload.
class OffloadReport {
 public:
  [[nodiscard]] bool available(Offload offload) const noexcept { return entry(offload).available; }
  /// Why it is not available; or, of one that is, how that is known.
  [[nodiscard]] const std::string& reason(Offload offload) const noexcept { return entry(offload).reason; }
  [[nodiscard]] std::size_t max_segments() const noexcept { return max_segments_; }

  void found(Offload offload, bool available, std::string reason);
  void unavailable(Offload offload, std::string reason) { found(offload, false, std::move(reason)); }
  void set_max_segments(std::size_t count) noexcept { max_segments_ = count; }

  /// The `offloads` of `hello`.
  [[nodiscard]] nlohmann::json to_json(const Switches& switches) const;

 private:
  struct Entry {
    bool available = true;
    std::string reason;
  };
  [[nodiscard]] const Entry& entry(Offload offload) const noexcept {
    return entries_[static_cast<std::size_t>(offload)];
  }

  std::array<Entry, all_offloads.size()> entries_;
  std::size_t max_segments_ = 64;
};

/// Sends segmented datagrams through the loopback device and looks at what comes out. Those of the TAP stay
/// "available" until a TAP says otherwise.
OffloadReport test_udp_offloads();

/// As above, and tries those of a TAP on a temporary one in a network namespace of its own. Needs the
/// privileges for that; without them it says so in the reasons.
OffloadReport test_all_offloads();

}  // namespace weft
