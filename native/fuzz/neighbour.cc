/// Frames from a TAP that ask for a MAC address.
#include "packet/messages/neighbour.h"
#include "input.h"

using weft::fuzz::Input;
using weft::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto frame = Input(data, size).rest();
  const weft::Layers layers = weft::parse_frame(frame);
  if (!weft::neighbour_question(frame, layers)) return 0;
  const weft::MacAddress mac{std::byte{2}, std::byte{9}};
  std::vector<std::byte> answer(weft::max_neighbour_answer);
  answer.resize(weft::build_neighbour_answer(frame, layers, mac, answer));
  // It goes to whoever asked, and is no question itself.
  require(weft::destination_mac(answer) == weft::source_mac(frame));
  require(weft::source_mac(answer) == mac);
  const weft::Layers answered = weft::parse_frame(answer);
  require(!weft::neighbour_question(answer, answered));
  require(!layers.ipv6() || answered.network_end == answer.size());
  return 0;
}
