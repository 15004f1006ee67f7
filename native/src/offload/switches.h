/// What can be set while traffic flows: kernel offloads, and limits.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weft {

enum class Offload : std::uint8_t { tap_csum, tap_tso, tap_uso, udp_gso, udp_gro };

inline constexpr std::array all_offloads{Offload::tap_csum, Offload::tap_tso, Offload::tap_uso,
                                         Offload::udp_gso, Offload::udp_gro};

constexpr std::string_view offload_name(Offload offload) noexcept {
  constexpr std::array<std::string_view, all_offloads.size()> names{"tap-csum", "tap-tso", "tap-uso",
                                                                    "udp-gso", "udp-gro"};
  return names[static_cast<std::size_t>(offload)];
}

inline std::optional<Offload> offload_from_name(std::string_view name) noexcept {
  for (const Offload offload : all_offloads)
    if (offload_name(offload) == name) return offload;
  return std::nullopt;
}

/// Read by workers once a batch; written by the control thread, and by a worker that sees an offload fail.
class Switches {
 public:
  static constexpr std::uint32_t default_storm_limit = 5000;

  [[nodiscard]] bool on(Offload offload) const noexcept {
    return at(offload).load(std::memory_order_relaxed);
  }
  void set(Offload offload, bool enabled) noexcept { at(offload).store(enabled, std::memory_order_relaxed); }

  /// Datagrams that one UDP_SEGMENT send may carry.
  std::atomic<std::size_t> max_segments{64};
  /// Frames to everybody that a worker sends for a segment in a second; 0: as many as come.
  std::atomic<std::uint32_t> storm_limit{default_storm_limit};

 private:
  [[nodiscard]] const std::atomic<bool>& at(Offload offload) const noexcept {
    return on_[static_cast<std::size_t>(offload)];
  }
  [[nodiscard]] std::atomic<bool>& at(Offload offload) noexcept {
    return on_[static_cast<std::size_t>(offload)];
  }

  std::array<std::atomic<bool>, all_offloads.size()> on_{};
};

}  // namespace weft
