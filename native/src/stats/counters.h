/// Everything the forwarder counts, declared once: name and meaning.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weft {

// X(name, meaning). The names are those of the control socket and of the metrics.
#define WEFT_COUNTERS(X)                                                                                   \
  X(tap_read_frames, "frames read from TAPs; a superframe counts as one")                                  \
  X(tap_read_bytes, "bytes of frames read from TAPs")                                                      \
  X(tap_written_frames, "frames written to TAPs; a superframe counts as one")                              \
  X(tap_written_bytes, "bytes of frames written to TAPs")                                                  \
  X(udp_sent_datagrams, "datagrams sent")                                                                  \
  X(udp_sent_bytes, "bytes of payload of datagrams sent")                                                  \
  X(udp_sent_batches, "send calls; one carries several datagrams where UDP_SEGMENT works")                 \
  X(udp_received_datagrams, "datagrams received")                                                          \
  X(udp_received_bytes, "bytes of payload of datagrams received")                                          \
  X(udp_received_batches, "receive calls that brought something")                                          \
  X(stream_sent_packets, "packets sent over TCP to peers that UDP does not reach")                         \
  X(stream_sent_bytes, "bytes of packets sent over TCP")                                                   \
  X(stream_received_packets, "packets received over TCP")                                                  \
  X(stream_received_bytes, "bytes of packets received over TCP")                                           \
  X(streams_broken, "TCP connections given up because what came was no packet")                            \
  X(superframes_in, "superframes read from TAPs and cut here")                                             \
  X(segments, "frames cut from superframes")                                                               \
  X(superframes_out, "superframes written to TAPs")                                                        \
  X(coalesced, "frames joined into superframes")                                                           \
  X(sealed_packets, "packets sealed")                                                                      \
  X(opened_packets, "packets opened")                                                                      \
  X(plain_sent_packets, "of the packets sent, those without encryption, in subnets that both ends trust")  \
  X(plain_received_packets, "packets without encryption received")                                         \
  X(fragments_sent, "fragments sent for frames that do not fit their path")                                \
  X(ip_fragments_sent, "IPv4 fragments made of packets too big for the other side's containers")           \
  X(fragments_received, "fragments received")                                                              \
  X(frames_reassembled, "frames put together from fragments")                                              \
  X(relayed_packets, "packets passed on for others")                                                       \
  X(flooded, "frames sent to every peer of their network: broadcast, multicast, unknown destination")      \
  X(neighbours_answered, "ARP requests and neighbour solicitations for announced addresses answered here") \
  X(neighbours_kept, "such questions for addresses of this host, which its containers answer")             \
  X(multicast_sent, "multicast frames sent only to the peers that want their group")                       \
  X(multicast_kept, "multicast frames that no peer wants")                                                 \
  X(mss_clamped, "TCP SYNs whose MSS was lowered")                                                         \
  X(ptb_sent, "ICMP fragmentation needed and packet too big sent to senders")                              \
  X(loop_probes, "loop probes of this router that came back, or of others that came here, and hails")      \
  X(roamed, "endpoints of peers that moved to the source of an authenticated packet")                      \
  X(probes_sent, "probes sent")                                                                            \
  X(probes_received, "probes received")                                                                    \
  X(replies_received, "replies to our probes received")                                                    \
  X(kernel_probes_sent, "probes of kernel paths sent")                                                     \
  X(kernel_probes_received, "probes of kernel paths received, which were answered")                        \
  X(kernel_answers_received, "answers to probes of kernel paths received")                                 \
  X(dropped_short, "datagrams or contents shorter than their fixed part")                                  \
  X(dropped_bad_type, "datagrams of an unknown type")                                                      \
  X(dropped_bad_field, "packets with a field outside its range")                                           \
  X(dropped_unknown_key, "packets for a key that is not known")                                            \
  X(dropped_bad_tag, "packets that did not open: forged, damaged, or of another key")                      \
  X(dropped_replay, "packets opened before, or too old to know")                                           \
  X(dropped_untrusted, "packets without encryption from where it is required")                             \
  X(dropped_inner_kind, "opened packets of an unknown kind")                                               \
  X(dropped_no_peer, "frames for which there is no peer")                                                  \
  X(dropped_no_key, "frames to a peer without a key to seal with")                                         \
  X(dropped_no_endpoint, "frames to a peer without an address")                                            \
  X(dropped_no_network, "frames of a network that is not here, or not allowed to that peer")               \
  X(dropped_bad_frame, "frames from a TAP that are not what their headers say")                            \
  X(dropped_too_big, "frames that do not fit their path and may not be fragmented")                        \
  X(dropped_fragment_timeout, "unfinished frames that waited for a piece too long")                        \
  X(dropped_fragment_evicted, "unfinished frames that made room for newer ones")                           \
  X(dropped_fragment_bad, "fragments that came twice or contradict others")                                \
  X(dropped_hop_limit, "relayed packets at the end of their hop limit")                                    \
  X(dropped_hop_tag, "relayed packets with a wrong hop tag")                                               \
  X(dropped_no_route, "relayed packets to an unknown destination")                                         \
  X(dropped_local, "frames from a TAP for an address of this host, which its bridge flooded")              \
  X(dropped_foreign_mac, "frames whose sender has a MAC that was given to a container elsewhere")          \
  X(dropped_foreign_address, "ARP and neighbour discovery for an address given to a container elsewhere")  \
  X(dropped_new_mac, "frames whose sender is one new MAC too many of its host on that segment")            \
  X(dropped_muted, "frames to everybody that a loop of the segment keeps from this host")                  \
  X(dropped_storm, "broadcasts and frames to unknown addresses beyond what one segment may send")          \
  X(dropped_kernel_probe, "probes of kernel paths that were not expected, or too many")                    \
  X(dropped_stp, "link-local control frames (STP, LACP, LLDP), which are not carried")                     \
  X(dropped_tap_full, "frames that a TAP did not take")                                                    \
  X(dropped_socket_full, "datagrams that the socket did not take")                                         \
  X(dropped_stream_full, "packets that a TCP connection did not take: it is full, or broken")              \
  X(dropped_send_error, "datagrams that the kernel refused to send")

enum class Counter : std::uint16_t {
#define WEFT_COUNTER_ENUM(name, meaning) name,
  WEFT_COUNTERS(WEFT_COUNTER_ENUM)
#undef WEFT_COUNTER_ENUM
};

struct CounterInfo {
  std::string_view name;
  std::string_view meaning;
};

inline constexpr std::array counter_infos{
#define WEFT_COUNTER_INFO(name, meaning) CounterInfo{#name, meaning},
    WEFT_COUNTERS(WEFT_COUNTER_INFO)
#undef WEFT_COUNTER_INFO
};

inline constexpr std::size_t counter_count = counter_infos.size();

/// One worker's counters. Only its worker adds; anybody may read. Starts on a cache line of its own.
class alignas(64) Counters {
 public:
  void add(Counter counter, std::uint64_t amount = 1) noexcept {
    // A single writer needs no locked instruction.
    auto& value = values_[static_cast<std::size_t>(counter)];
    value.store(value.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t read(Counter counter) const noexcept {
    return values_[static_cast<std::size_t>(counter)].load(std::memory_order_relaxed);
  }

 private:
  std::array<std::atomic<std::uint64_t>, counter_count> values_{};
};

}  // namespace weft
