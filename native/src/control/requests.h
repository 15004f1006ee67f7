/// The requests of the control socket: one struct for each request that has fields. Its constructor reads and
/// checks all of them before anything is done, and does not depend on the state of the forwarder. The other
/// end is src/forwarder/control/contract.ts; test/fixtures/control-socket.json holds the examples that both
/// must agree on.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aead/aead.h"
#include "control/protocol/fields.h"
#include "offload/switches.h"

namespace weft {

inline constexpr std::uint64_t control_protocol_version = 1;

/// For requests without fields.
struct NoFields {
  explicit NoFields(const Fields& /*fields*/) {}
};

struct HelloRequest {
  explicit HelloRequest(const Fields& fields) {
    if (fields.number("protocol", 0, UINT32_MAX) != control_protocol_version)
      throw RequestError("version-mismatch",
                         "this forwarder speaks protocol " + std::to_string(control_protocol_version));
  }
};

struct PeerRequest {
  explicit PeerRequest(const Fields& fields) : peer(fields.peer("peer")) {}
  PeerId peer;
};

struct NetworkRequest {
  explicit NetworkRequest(const Fields& fields)
      : network(static_cast<std::uint16_t>(fields.number("network", 0, UINT16_MAX))) {}
  std::uint16_t network;
};

/// The descriptors of the device are passed with the request.
struct DeviceRequest : NetworkRequest {
  explicit DeviceRequest(const Fields& fields) : NetworkRequest(fields), name(fields.text("name")) {}
  std::string name;
};

struct NetworkMtuRequest : NetworkRequest {
  explicit NetworkMtuRequest(const Fields& fields)
      : NetworkRequest(fields), mtu(fields.number("mtu", min_mtu, max_mtu)) {}
  std::size_t mtu;

  static constexpr std::size_t min_mtu = 576;
  static constexpr std::size_t max_mtu = 65'535;
};

struct ProbeRequest : PeerRequest {
  explicit ProbeRequest(const Fields& fields)
      : PeerRequest(fields), mtu(fields.number_or("mtu", NetworkMtuRequest::min_mtu, max_mtu, 0)) {}
  std::size_t mtu;  ///< 0: not given

  // A packet with all headers must still fit a datagram.
  static constexpr std::size_t max_mtu = 65'000;
};

struct KernelPathRequest : NetworkRequest, PeerRequest {
  explicit KernelPathRequest(const Fields& fields) : NetworkRequest(fields), PeerRequest(fields) {}
};

struct KernelPathSetRequest : KernelPathRequest {
  explicit KernelPathSetRequest(const Fields& fields)
      : KernelPathRequest(fields),
        mac(unicast(fields, "mac")),
        source(unicast(fields, "source")),
        mtu(fields.number("mtu", NetworkMtuRequest::min_mtu, NetworkMtuRequest::max_mtu)) {}
  MacAddress mac;
  MacAddress source;
  std::size_t mtu;

 private:
  static MacAddress unicast(const Fields& fields, std::string_view name) {
    const MacAddress mac = fields.mac(name);
    if (is_group(mac))
      throw RequestError("bad-request", "field '" + std::string(name) + "' must not be a group address");
    return mac;
  }
};

struct HailRequest : PeerRequest, NetworkRequest {
  explicit HailRequest(const Fields& fields)
      : PeerRequest(fields),
        NetworkRequest(fields),
        number(static_cast<std::uint32_t>(fields.number("number", 0, UINT32_MAX))) {}
  std::uint32_t number;
};

struct PeerSetRequest : PeerRequest {
  explicit PeerSetRequest(const Fields& fields)
      : PeerRequest(fields),
        candidates(fields.endpoints("endpoints", max_candidates)),
        networks(fields.networks("networks")),
        via(fields.peer_or_none("via")),
        keepalive_ms(fields.number_or("keepalive", min_keepalive_ms, max_keepalive_ms, 0)),
        mtu(fields.number_or("mtu", NetworkMtuRequest::min_mtu, NetworkMtuRequest::max_mtu, 0)) {
    if (via == peer) throw RequestError("bad-request", "a peer cannot be reached through itself");
  }
  std::vector<Endpoint> candidates;  ///< best first
  std::vector<std::uint16_t> networks;
  std::optional<PeerId> via;
  std::uint64_t keepalive_ms;  ///< 0: not given
  std::size_t mtu;             ///< 0: not given

  static constexpr std::size_t max_candidates = 32;
  static constexpr std::uint64_t min_keepalive_ms = 50;
  static constexpr std::uint64_t max_keepalive_ms = 600'000;
};

struct KeyRequest {
  explicit KeyRequest(const Fields& fields) : local_index(index(fields, "localIndex")) {}
  std::uint32_t local_index;

  static std::uint32_t index(const Fields& fields, std::string_view name) {
    return static_cast<std::uint32_t>(fields.number(name, 1, UINT32_MAX));
  }
};

struct KeySetRequest : PeerRequest, KeyRequest {
  explicit KeySetRequest(const Fields& fields)
      : PeerRequest(fields),
        KeyRequest(fields),
        remote_index(index(fields, "remoteIndex")),
        cipher(cipher_of(fields.text("cipher"))),
        is_initiator(initiates(fields.text("role"))),
        open_key(fields.secret<32>("openKey")),
        seal_key(fields.secret<32>("sealKey")),
        hop_open_key(fields.secret<16>("hopOpenKey")),
        hop_seal_key(fields.secret<16>("hopSealKey")),
        trusted(fields.subnets("trusted", max_trusted)),
        peer_trusts(fields.subnets("peerTrusts", max_trusted)) {}
  std::uint32_t remote_index;
  Cipher cipher;
  bool is_initiator;
  Secret<32> open_key;
  Secret<32> seal_key;
  Secret<16> hop_open_key;
  Secret<16> hop_seal_key;
  Subnets trusted;
  Subnets peer_trusts;

  static constexpr std::size_t max_trusted = 32;

 private:
  static Cipher cipher_of(const std::string& name) {
    const auto cipher = cipher_from_name(name);
    if (!cipher) throw RequestError("unknown-cipher", "there is no cipher '" + name + "'");
    return *cipher;
  }
  static bool initiates(const std::string& role) {
    if (role != "initiator" && role != "responder")
      throw RequestError("bad-request", "field 'role' must be initiator or responder");
    return role == "initiator";
  }
};

inline constexpr std::size_t max_addresses = 256;

struct MacRequest : NetworkRequest {
  explicit MacRequest(const Fields& fields) : NetworkRequest(fields), mac(fields.mac("mac")) {}
  MacAddress mac;
};

struct AnnounceRequest : MacRequest {
  explicit AnnounceRequest(const Fields& fields)
      : MacRequest(fields), addresses(fields.addresses("addresses", max_addresses)) {}
  std::vector<IpAddress> addresses;
};

struct EndpointSetRequest : AnnounceRequest {
  explicit EndpointSetRequest(const Fields& fields)
      : AnnounceRequest(fields), peer(fields.peer_or_none("peer")) {
    if (is_group(mac)) throw RequestError("bad-request", "field 'mac' must not be a group address");
  }
  std::optional<PeerId> peer;  ///< none: the endpoint is on this host
};

struct PeerGroupsRequest : NetworkRequest, PeerRequest {
  explicit PeerGroupsRequest(const Fields& fields) : NetworkRequest(fields), PeerRequest(fields) {
    if (fields.has("groups")) groups = fields.addresses("groups", max_addresses);
  }
  std::optional<std::vector<IpAddress>> groups;  ///< none: the groups are unknown
};

struct OffloadRequest {
  explicit OffloadRequest(const Fields& fields)
      : offload(offload_of(fields.text("name"))), enabled(fields.boolean("enabled")) {}
  Offload offload;
  bool enabled;

 private:
  static Offload offload_of(const std::string& name) {
    const auto offload = offload_from_name(name);
    if (!offload) throw RequestError("unknown-offload", "there is no offload '" + name + "'");
    return *offload;
  }
};

struct StormLimitRequest {
  explicit StormLimitRequest(const Fields& fields)
      : limit(static_cast<std::uint32_t>(fields.number("limit", 0, UINT32_MAX))) {}
  std::uint32_t limit;
};

/// An operation, and a check that throws RequestError unless its fields are valid.
struct RequestKind {
  std::string_view op;
  void (*check)(const Fields&);
};

template <typename Request>
void check_request(const Fields& fields) {
  [[maybe_unused]] const Request request(fields);
}

/// Every operation of the forwarder. `subscribe` is not among them: it concerns the client, so the server
/// handles it.
inline constexpr std::array request_kinds{
    RequestKind{"hello", check_request<HelloRequest>},
    RequestKind{"self", check_request<PeerRequest>},
    RequestKind{"tap", check_request<DeviceRequest>},
    RequestKind{"network.remove", check_request<NetworkRequest>},
    RequestKind{"network.mtu", check_request<NetworkMtuRequest>},
    RequestKind{"peer.set", check_request<PeerSetRequest>},
    RequestKind{"peer.remove", check_request<PeerRequest>},
    RequestKind{"punch", check_request<PeerRequest>},
    RequestKind{"probe", check_request<ProbeRequest>},
    RequestKind{"hail", check_request<HailRequest>},
    RequestKind{"key.set", check_request<KeySetRequest>},
    RequestKind{"key.remove", check_request<KeyRequest>},
    RequestKind{"stream.set", check_request<PeerRequest>},
    RequestKind{"stream.remove", check_request<PeerRequest>},
    RequestKind{"endpoint.set", check_request<EndpointSetRequest>},
    RequestKind{"endpoint.remove", check_request<MacRequest>},
    RequestKind{"endpoint.clear", check_request<NoFields>},
    RequestKind{"endpoints", check_request<NoFields>},
    RequestKind{"announce", check_request<AnnounceRequest>},
    RequestKind{"peer.groups", check_request<PeerGroupsRequest>},
    RequestKind{"groups", check_request<NoFields>},
    RequestKind{"kernel-path.open", check_request<DeviceRequest>},
    RequestKind{"kernel-path.close", check_request<NetworkRequest>},
    RequestKind{"kernel-path.set", check_request<KernelPathSetRequest>},
    RequestKind{"kernel-path.remove", check_request<KernelPathRequest>},
    RequestKind{"offload.set", check_request<OffloadRequest>},
    RequestKind{"storm.set", check_request<StormLimitRequest>},
    RequestKind{"dump", check_request<NoFields>},
    RequestKind{"macs", check_request<NoFields>},
    RequestKind{"stats", check_request<NoFields>},
    RequestKind{"stop", check_request<NoFields>},
};

}  // namespace weft
