/// Stations that send though nobody was given their MAC: a container's own MAC may have changed.
#pragma once

#include <array>
#include <cstdint>

#include "packet/address/ip_address.h"
#include "packet/parse.h"
#include "switch/mac_table.h"

namespace weft {

/// Which of them one worker tells the control thread: each once a second, and so many in all. Somebody who
/// makes up addresses costs no more than that.
class Strangers {
 public:
  static constexpr unsigned per_second = 64;

  enum class Tell : std::uint8_t {
    nothing,
    it,
    that_there_are_more,  ///< once a second
  };

  Tell seen(std::uint16_t network, const MacAddress& mac, std::uint32_t now_s) noexcept {
    Entry& entry = entries_[mix(station_key(network, mac) ^ hash_seed) % entries_.size()];
    const Entry told{mac, network, now_s};
    if (entry == told) return Tell::nothing;
    if (second_ != now_s) {
      second_ = now_s;
      told_ = 0;
    }
    if (told_ > per_second) return Tell::nothing;
    if (told_++ == per_second) return Tell::that_there_are_more;
    entry = told;
    return Tell::it;
  }

 private:
  struct Entry {
    MacAddress mac{};
    std::uint16_t network = 0;
    std::uint32_t second = 0;
    bool operator==(const Entry&) const = default;
  };
  std::array<Entry, 256> entries_{};
  std::uint32_t second_ = 0;
  unsigned told_ = 0;
};

}  // namespace weft
