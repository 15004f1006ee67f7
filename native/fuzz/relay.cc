/// Relayed datagrams from the network.
#include "input.h"
#include "wire/header.h"

using weft::fuzz::Input;
using weft::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto datagram = Input(data, size).rest();
  (void)weft::packet_type(datagram);
  const auto header = weft::decode_relay(datagram);
  if (!header) return 0;
  const weft::HopKey key;
  (void)weft::verify_hop_tag(key, datagram);
  require(static_cast<bool>(weft::decode_sealed(weft::relayed_packet(datagram))));

  // What is passed on is what came, but for the hop limit and the tag.
  auto next = *header;
  --next.hop_limit;
  weft::encode(next, key, datagram);
  require(weft::verify_hop_tag(key, datagram));
  const auto again = weft::decode_relay(datagram);
  require(static_cast<bool>(again) == (next.hop_limit != 0));
  if (again) require(*again == next);
  return 0;
}
