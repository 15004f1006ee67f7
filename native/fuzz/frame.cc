/// Frames and superframes from hostile containers: parsed, clamped, answered, cut.
#include "input.h"
#include "packet/checksum.h"
#include "packet/messages/too_big.h"
#include "packet/mss_clamp.h"
#include "packet/superframe/segment.h"

using weft::fuzz::Input;
using weft::fuzz::require;

namespace {

void check_layers(const weft::Layers& layers, std::size_t size) {
  require(layers.network_end <= size);
  require(layers.transport_offset <= layers.network_end && layers.payload_offset <= layers.network_end);
  if (layers.transport_offset != 0) require(layers.network_offset < layers.transport_offset);
  if (layers.payload_offset != 0) require(layers.transport_offset < layers.payload_offset);
}

void cut(const std::vector<std::byte>& frame, const weft::VnetHeader& vnet, std::size_t max_frame) {
  auto superframe = frame;
  auto plan = weft::Segmenter::plan(superframe, vnet, max_frame);
  if (!plan) return;
  const bool tcp = weft::parse_frame(frame).tcp();
  std::size_t payload = 0;
  for (std::size_t i = 0; i < plan->count(); ++i) {
    std::vector<std::byte> segment(plan->size(i));
    plan->write(i, segment.data());
    const auto carved = plan->carve(i);
    require(std::equal(segment.begin(), segment.end(), carved.begin(), carved.end()));
    const auto layers = weft::parse_frame(segment);
    require(layers.payload_offset == plan->header_size() && layers.network_end == segment.size());
    if (tcp) require(segment.size() <= max_frame);
    payload += segment.size() - plan->header_size();
  }
  require(payload + plan->header_size() == frame.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  weft::VnetHeader vnet{.flags = input.u8(), .gso_type = input.u8(), .gso_size = input.u16()};
  const std::uint16_t max_frame = input.u16();
  const bool honest = input.u8() % 4 != 0;
  const std::uint16_t start = input.u16();
  auto frame = input.rest();
  const auto layers = weft::parse_frame(frame);
  check_layers(layers, frame.size());

  if (frame.size() >= weft::ethernet_header_size) {
    std::vector<std::byte> answer(weft::max_too_big_size);
    const std::size_t written = weft::build_too_big(frame, layers, max_frame, answer);
    require(written <= answer.size());
    (void)weft::must_not_fragment(frame, layers);
  }
  // Random bytes would rarely name the right place.
  vnet.checksum_start = honest ? static_cast<std::uint16_t>(layers.transport_offset) : start;
  vnet.checksum_offset = layers.tcp() ? 16 : 6;
  cut(frame, vnet, max_frame);

  weft::clamp_mss(frame, layers, max_frame, honest);
  if (vnet.checksum_start + vnet.checksum_offset + 2U <= frame.size()) {
    weft::complete_checksum(frame, vnet.checksum_start, vnet.checksum_offset);
  }
  return 0;
}
