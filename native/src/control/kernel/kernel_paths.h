/// Sends and answers the probes of kernel paths: docs/protocol.md 2.11. For the control thread only.
#pragma once

#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/fd.h"
#include "io/epoll.h"
#include "packet/parse.h"
#include "path/kernel/kernel_path.h"
#include "state/session.h"
#include "stats/counters.h"
#include "wire/header.h"

namespace weft {

/// What the kernel paths need from the forwarder around them.
class KernelPathServices {
 public:
  virtual ~KernelPathServices() = default;
  /// The session that has the key of that index here, or null.
  virtual Session* opening_session(std::uint32_t local_index) = 0;
  /// The newest session that the peer is known to have, or null.
  virtual Session* sealing_session(PeerId peer) = 0;
  /// A packet was opened with its key.
  virtual void key_used(Session& session) = 0;
  virtual void kernel_path_changed(std::uint16_t network, PeerId peer, const KernelPath& path) = 0;
  virtual void kernel_path_lost(std::uint16_t network, const std::string& name) = 0;
};

/// What the daemon says of one kernel path.
struct KernelPathSetting {
  MacAddress mac{};     ///< of the peer's router
  MacAddress source{};  ///< of this router
  std::size_t mtu = 0;  ///< of the overlay

  bool operator==(const KernelPathSetting&) const = default;
};

struct KernelPathState {
  KernelPathSetting setting;
  KernelPath path;
  std::string_view problem;  ///< why the last probe could not leave; empty: it left
};

class KernelPaths {
 public:
  static constexpr std::size_t max_paths = 4096;
  using Key = std::pair<std::uint16_t, PeerId>;

  /// `first_tag` and the number of a network are the tag of its socket. `lane` is used by nobody else.
  KernelPaths(Epoll& epoll, std::uint64_t first_tag, unsigned lane, Counters& counters,
              KernelPathServices& services);

  /// Sends and receives through that packet socket from now on. Throws Failure.
  void open(std::uint16_t network, std::string name, Fd socket, Micros now);
  /// Forgets the socket and the paths of the network.
  void close(std::uint16_t network);
  /// Returns false when there are too many.
  [[nodiscard]] bool set(Key key, const KernelPathSetting& setting, Micros now);
  void remove(Key key) { paths_.erase(key); }
  /// Forgets all paths to the peer.
  void forget(PeerId peer);

  /// Sends what is due, and returns when to be called again.
  Micros poll(Micros now);
  /// The socket of that network is ready.
  void on_ready(std::uint16_t network, Micros now);

  [[nodiscard]] const std::map<Key, KernelPathState>& paths() const noexcept { return paths_; }
  /// Name of the network's device; empty if there is none.
  [[nodiscard]] std::string_view device(std::uint16_t network) const noexcept;

 private:
  struct Device {
    std::string name;
    Fd socket;
  };
  using Devices = std::map<std::uint16_t, Device>;

  void send_probe(const Key& key, KernelPathState& state, Micros now);
  [[nodiscard]] int send(const KernelPathState& state, const KernelProbe& probe, Session& session);
  void receive(std::uint16_t network, Bytes frame, Micros now);
  [[nodiscard]] bool open_packet(KernelPathState& state, Session& session, const SealedHeader& header,
                                 Bytes packet, Micros now);
  void take(const Key& key, KernelPathState& state, const KernelProbe& probe, Session& session, Micros now);
  void lose(std::uint16_t network, Micros now);
  void drop(Devices::iterator device);

  Epoll& epoll_;
  std::uint64_t first_tag_;
  unsigned lane_;
  Counters& counters_;
  KernelPathServices& services_;
  Devices devices_;
  std::map<Key, KernelPathState> paths_;
  Micros deadline_ = 0;
  std::unique_ptr<std::byte[]> buffer_;
};

}  // namespace weft
