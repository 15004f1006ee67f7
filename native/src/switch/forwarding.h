/// Where a frame goes: learning, ARP and neighbour discovery suppression, snooping, lookup, flooding.
///
/// A frame from this host's side of a segment passes these steps, and the first that decides ends it:
///   1. Link-local control frames (STP, LACP, LLDP) are dropped: no bridge forwards them.
///   2. A loop probe tells that somebody joined the segment beside the tunnel. Our own is reported, and that
///      of a peer is given back to it.
///   3. The source MAC is refused if it was given to a container elsewhere, is the DNS server's, or is one
///   new
///      MAC too many. It is learned otherwise.
///   4. ARP and neighbour discovery that claim an address of a container elsewhere, or of the DNS server, are
///      refused.
///   5. ARP and neighbour discovery questions are answered from what routers announced.
///   6. IGMP and MLD reports are noted; multicast goes to the peers that want it.
///   7. Unicast goes to the announced owner of its destination, or else to the learned one.
///   8. All the rest is flooded to the members of the segment, within the limit of storm control.
/// A frame from a peer passes `admit`: steps 1 and 3, the DNS server's part of step 4, and the guard against
/// loops; a loop probe of ours that it gives back is reported.
#pragma once

#include <array>
#include <optional>
#include <span>

#include "base/clock.h"
#include "packet/address/ip_address.h"
#include "packet/messages/group_report.h"
#include "packet/messages/loop_probe.h"
#include "packet/parse.h"
#include "stats/counters.h"
#include "switch/endpoint_table.h"
#include "switch/groups/new_groups.h"
#include "switch/mac_table.h"
#include "switch/segment_view.h"
#include "switch/storm_control.h"
#include "switch/strangers.h"
#include "wire/header.h"

namespace weft {

/// What forwarding notices. Called from within `Forwarding`'s functions; must not call back.
class ForwardingObserver {
 public:
  virtual ~ForwardingObserver() = default;
  virtual void mac_moved(std::uint16_t network, const MacAddress& mac, MacOwner from,
                         MacOwner to) noexcept = 0;
  /// A station that nobody was given sends on this side; zero: there are more of them than were named.
  virtual void mac_seen(std::uint16_t network, const MacAddress& mac) noexcept = 0;
  /// A station on this side claims an address of a container elsewhere; empty: that container's MAC.
  virtual void refused(std::uint16_t network, const MacAddress& mac, const IpAddress& address) noexcept = 0;
  /// A loop probe of this router came to the side of `at`.
  virtual void loop_probe(const LoopProbe& probe, MacOwner at) noexcept = 0;
  /// A peer's hail came.
  virtual void hail(const Hail& hail, MacOwner from) noexcept = 0;
  /// Somebody on this side wants one more multicast group.
  virtual void groups_changed(std::uint16_t network) noexcept = 0;
  virtual void group_left(std::uint16_t network, const IpAddress& group) noexcept = 0;
  /// More is flooded than may be.
  virtual void storm(std::uint16_t network) noexcept = 0;
};

/// What is to be done with a frame.
struct Decision {
  enum class Action : std::uint8_t {
    drop,
    unicast,    ///< to `peer`
    replicate,  ///< to all `peers`
    answer,     ///< back to where it came from: the address that it asks for is at `mac`
    give_back,  ///< a loop probe of `router`, to that one if it has the segment
  };
  Action action = Action::drop;
  std::optional<Counter> counter;     ///< what it counts as: with `drop` the reason
  MacOwner peer = local_owner;        ///< may be a slot whose peer has just gone
  std::span<const MacOwner> peers{};  ///< lives as long as the segment's view
  MacAddress mac{};
  PeerId router = 0;
};

/// What holds for all frames of one poll.
struct ForwardingContext {
  const EndpointTable& announced;
  Micros now;
  std::uint32_t storm_limit;  ///< flooded frames a second and segment; 0: as many as come
  PeerId self = 0;            ///< this router

  [[nodiscard]] std::uint32_t now_s() const noexcept {
    return static_cast<std::uint32_t>(now / microseconds_per_second);
  }
};

/// Pure: headers come in, decisions go out; the clock is an argument. One a worker, for both directions.
class Forwarding {
 public:
  Forwarding(MacTable& macs, ForwardingObserver& observer) noexcept : macs_(macs), observer_(observer) {}

  /// Decides about a frame from this host's side, of at least an Ethernet header.
  [[nodiscard]] Decision forward(const ForwardingContext& context, const SegmentView& segment,
                                 ConstBytes frame, const Layers& layers) noexcept;

  /// Why a frame from that peer may not be delivered here; nothing if it may.
  [[nodiscard]] std::optional<Counter> admit(const ForwardingContext& context, const SegmentView& segment,
                                             ConstBytes frame, MacOwner from) noexcept;

 private:
  /// A station that sent a frame, and what was known of it. Frames come in trains of one sender: what was
  /// looked up for the first holds for the next ones, for a second.
  struct Sighting {
    MacAddress mac{};
    std::uint16_t network = 0;
    MacOwner owner = local_owner;
    std::uint32_t second = 0;
    const EndpointTable* announced = nullptr;
    bool operator==(const Sighting&) const = default;
  };
  /// A frame from this side, and what decides about it.
  struct Local {
    const ForwardingContext& context;
    const SegmentView& segment;
    ConstBytes frame;
    const Layers& layers;
  };

  Decision take_loop_probe(const Local& in) noexcept;
  void tell_loop(const ForwardingContext& context, const SegmentView& segment, const LoopProbe& probe,
                 MacOwner at) noexcept;
  std::optional<Counter> take_hail(const ForwardingContext& context, const SegmentView& segment,
                                   const Hail& hail, MacOwner from) noexcept;
  std::optional<Counter> refuse_source(const Local& in) noexcept;
  bool admit_claims(const Local& in) noexcept;
  bool learn(const ForwardingContext& context, std::uint16_t network, const MacAddress& mac, MacOwner owner,
             bool is_announced) noexcept;
  void tell_stranger(const Local& in, const MacAddress& mac) noexcept;
  void tell_refused(const Local& in, const IpAddress& address) noexcept;
  Decision forward_group(const Local& in) noexcept;
  static std::optional<Decision> suppress_question(const Local& in) noexcept;
  void snoop(const Local& in, const GroupMessageKind& message) noexcept;
  static Decision multicast(const SegmentView& segment, std::span<const MacOwner> peers) noexcept;
  Decision unicast(const Local& in, const MacAddress& destination) noexcept;
  Decision flood(const Local& in) noexcept;

  MacTable& macs_;
  ForwardingObserver& observer_;
  StormControl storm_control_;
  NewGroups new_groups_;
  Strangers strangers_;
  Sighting last_local_;
  Sighting last_remote_;
  std::uint32_t refused_second_ = 0;
  unsigned refused_ = 0;
  Micros loop_told_ = 0;
  Micros given_back_ = 0;
  std::array<Micros, 64> hailed_{};  // by peer, some of which share a place
};

}  // namespace weft
