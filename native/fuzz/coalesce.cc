/// Frames that a member of the network sealed: joined, and no byte of payload lost or invented.
#include <deque>

#include "input.h"
#include "packet/superframe/coalesce.h"

using weft::fuzz::Input;
using weft::fuzz::require;

namespace {

class Tap final : public weft::FrameSink {
 public:
  void write_frame(std::uint16_t /*network*/, std::span<const iovec> parts, std::size_t joined) override {
    std::vector<std::byte> frame;
    for (const iovec& part : parts.subspan(1)) {
      const auto* from = static_cast<const std::byte*>(part.iov_base);
      frame.insert(frame.end(), from, from + part.iov_len);
    }
    frames += joined;
    if (joined == 1) {
      bytes += frame.size();
      return;
    }
    weft::VnetHeader vnet;
    std::memcpy(&vnet, parts[0].iov_base, sizeof vnet);
    const auto layers = weft::parse_frame(frame);
    require(layers.tcp() || layers.udp());
    require(layers.network_end == frame.size() && layers.payload_offset == vnet.header_size);
    const std::size_t payload = frame.size() - layers.payload_offset;
    require((payload + vnet.gso_size - 1) / vnet.gso_size == joined);
    bytes += payload + joined * layers.payload_offset;
  }

  std::size_t frames = 0;
  std::size_t bytes = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  Tap tap;
  weft::Coalescer coalescer(tap);
  std::deque<std::vector<std::byte>> memory;
  std::size_t bytes = 0;
  while (!input.empty()) {
    const std::uint8_t choice = input.u8();
    // Most frames repeat the one before with a few bytes changed: that is what makes flows.
    std::vector<std::byte> frame;
    if (choice % 4 != 0 && !memory.empty()) {
      frame = memory.back();
      const auto before = weft::parse_frame(frame);
      if (before.tcp()) {
        std::byte* sequence = frame.data() + before.transport_offset + 4;
        const auto payload = static_cast<std::uint32_t>(frame.size() - before.payload_offset);
        weft::store32(sequence, weft::load32(sequence) + payload);
      }
      if (before.ipv4()) {
        std::byte* id = frame.data() + before.network_offset + 4;
        weft::store16(id, static_cast<std::uint16_t>(weft::load16(id) + 1));
      }
      if (choice % 4 == 1) frame[input.u16() % frame.size()] = std::byte{input.u8()};
    } else {
      frame = input.bytes(input.u8());
    }
    if (frame.size() < weft::ethernet_header_size) continue;
    const auto layers = weft::parse_frame(frame);
    const std::size_t field = layers.tcp() ? 16 : 6;
    // The decoder refuses a checksum that is not inside the frame.
    const bool inside = layers.transport_offset + field + 2 <= frame.size();
    const weft::InnerFrame inner{.partial_checksum = choice < 192 && inside,
                                 .network = static_cast<std::uint16_t>(choice >> 7),
                                 .checksum_start = static_cast<std::uint16_t>(layers.transport_offset),
                                 .checksum_offset = static_cast<std::uint16_t>(field)};
    bytes += frame.size();
    memory.push_back(std::move(frame));
    coalescer.add(inner, memory.back());
    if (memory.size() > 200) break;
  }
  coalescer.flush();
  require(tap.frames == memory.size());
  require(tap.bytes == bytes);
  return 0;
}
