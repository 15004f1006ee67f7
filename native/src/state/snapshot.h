/// What the workers know: immutable state that the control thread replaces as a whole.
#pragma once

#include <sys/socket.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/clock.h"
#include "io/device/tap_queue.h"
#include "io/endpoint.h"
#include "packet/address/ip_address.h"
#include "state/session.h"
#include "stream/stream.h"
#include "switch/endpoint_table.h"
#include "switch/segment_view.h"
#include "wire/header.h"

namespace weft {

/// Number of a peer's row in the tables; stable while the peer exists.
using PeerSlot = std::uint16_t;
inline constexpr std::size_t max_peers = 4096;

/// One thread's share of a peer's counters.
struct alignas(64) PeerTraffic {
  std::atomic<std::uint64_t> sent_bytes{0};
  std::atomic<std::uint64_t> sent_packets{0};
  std::atomic<std::uint64_t> replies{0};  ///< of these: to relayed probes
  std::atomic<std::uint64_t> received_bytes{0};
  std::atomic<std::uint64_t> received_packets{0};
  std::atomic<Micros> last_received{0};

  void sent(std::size_t packets, std::size_t bytes) noexcept {
    bump(sent_packets, packets);
    bump(sent_bytes, bytes);
  }
  void replied() noexcept { bump(replies, 1); }
  void received(std::size_t packets, std::size_t bytes, Micros now) noexcept {
    bump(received_packets, packets);
    bump(received_bytes, bytes);
    last_received.store(now, std::memory_order_relaxed);
  }

 private:
  // One writer: no locked instruction.
  static void bump(std::atomic<std::uint64_t>& value, std::uint64_t by) noexcept {
    value.store(value.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }
};

/// Where datagrams for a peer go.
struct Destination {
  Endpoint endpoint;             ///< of the peer, or of the relay
  sockaddr_storage address{};    ///< the same for sendmsg
  socklen_t address_length = 0;  ///< 0: nowhere yet
  IpAddress source;              ///< address of ours; empty: the kernel chooses
  std::size_t max_sealed = 0;    ///< largest sealed packet that fits the path
  const Session* hop = nullptr;  ///< with the relay; null when the path is direct
  Stream* stream = nullptr;      ///< takes the place of the address where UDP does not pass
  std::uint32_t side_ports = 0;  ///< bit n: source port n gets through, too (io/source_ports.h)
  bool plain = false;            ///< both ends trust the wire: nothing is encrypted

  [[nodiscard]] bool reachable() const noexcept { return address_length != 0 || stream != nullptr; }
  /// Bytes in front of each sealed packet.
  [[nodiscard]] std::size_t prefix() const noexcept { return hop != nullptr ? relay_header_size : 0; }
  /// Largest Ethernet frame that fits in one packet.
  [[nodiscard]] std::size_t max_frame() const noexcept { return max_sealed - frame_overhead; }
};

struct PeerView {
  PeerId id = 0;               ///< 0: the slot is free
  Session* session = nullptr;  ///< to seal with; null: no key yet
  Endpoint endpoint;           ///< in use for direct packets; empty: none
  bool sought = false;         ///< it does not answer: all that comes from the peer may help to reach it
  Stream* stream = nullptr;    ///< to read from, whether it is in use for sending or not
  Destination destination;
  std::size_t mtu = 0;             ///< of the containers behind it; 0: not told
  PeerTraffic* traffic = nullptr;  ///< one a thread

  /// The session with whoever gets our datagrams for this peer first.
  [[nodiscard]] const Session* next_session() const noexcept {
    return destination.hop != nullptr ? destination.hop : session;
  }
};

struct NetworkView : SegmentView {
  std::size_t mtu = 0;                    ///< of the overlay; 0: not told
  std::shared_ptr<const TapQueues> taps;  ///< null: no TAP here
};

/// Open addressing over keys that are random already (key indexes, short ids). Built once, then read.
template <typename Key, typename Value>
class FlatIndex {
 public:
  FlatIndex() : FlatIndex(0) {}
  explicit FlatIndex(std::size_t entries) {
    std::size_t size = 8;
    while (size < entries * 2)
      size *= 2;
    slots_.resize(size);
  }
  /// Key 0 means "free" and cannot be put.
  void put(Key key, Value value) noexcept {
    std::size_t at = start(key);
    while (slots_[at].key != 0 && slots_[at].key != key)
      at = (at + 1) & (slots_.size() - 1);
    slots_[at] = {key, value};
  }
  /// The value, or a default one if the key is not there.
  [[nodiscard]] Value find(Key key) const noexcept {
    for (std::size_t at = start(key); slots_[at].key != 0; at = (at + 1) & (slots_.size() - 1))
      if (slots_[at].key == key) return slots_[at].value;
    return Value{};
  }

 private:
  struct Slot {
    Key key{};
    Value value{};
  };
  [[nodiscard]] std::size_t start(Key key) const noexcept {
    return static_cast<std::size_t>(key) & (slots_.size() - 1);
  }

  std::vector<Slot> slots_;
};

struct Snapshot {
  PeerId self = 0;
  std::vector<PeerView> peers;                ///< by slot
  std::vector<NetworkView> networks;          ///< few; by number, ascending
  FlatIndex<std::uint32_t, Session*> keys;    ///< by our own index
  FlatIndex<PeerId, const PeerView*> routes;  ///< by short id
  std::shared_ptr<const EndpointTable> endpoints = std::make_shared<const EndpointTable>();

  /// What the pointers above point to lives at least as long as the snapshot.
  std::vector<std::shared_ptr<void>> owned;

  [[nodiscard]] const NetworkView* network(std::uint16_t number) const noexcept {
    for (const NetworkView& view : networks)
      if (view.number == number) return &view;
    return nullptr;
  }
};

}  // namespace weft
