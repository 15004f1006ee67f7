/// Prints what cutting a superframe, sealing its segments, and joining frames cost: nanoseconds a segment,
/// best of several rounds, buffers in the cache.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <limits>
#include <string>
#include <vector>

#include "aead/aead.h"
#include "packet/superframe/coalesce.h"
#include "packet/superframe/segment.h"

namespace {

using Clock = std::chrono::steady_clock;
constexpr int rounds = 200;
constexpr std::size_t segment_payload = 1366;
constexpr std::size_t segments = 44;
constexpr std::size_t headers = 14 + 20 + 32;
constexpr weft::VnetHeader vnet{.flags = weft::VnetHeader::needs_checksum,
                                .gso_type = weft::VnetHeader::gso_tcp4,
                                .header_size = headers,
                                .gso_size = segment_payload,
                                .checksum_start = 34,
                                .checksum_offset = 16};

std::vector<std::byte> make_superframe() {
  std::vector<std::byte> frame(headers + segments * segment_payload);
  weft::store16(&frame[12], weft::ethertype_ipv4);
  weft::store8(&frame[14], 0x45);
  weft::store16(&frame[16], static_cast<std::uint16_t>(frame.size() - 14));
  weft::store16(&frame[20], 0x4000);
  weft::store8(&frame[23], weft::protocol_tcp);
  weft::store8(&frame[46], 0x80);
  weft::store8(&frame[47], 0x10);
  return frame;
}

class Nowhere final : public weft::FrameSink {
 public:
  void write_frame(std::uint16_t /*network*/, std::span<const iovec> /*parts*/, std::size_t joined) override {
    frames += joined;
  }
  std::size_t frames = 0;
};

/// Best cost of `work`, which handles one superframe; `prepare` is not timed.
template <typename Prepare, typename Work>
void report(const char* what, Prepare prepare, Work work) {
  double best = std::numeric_limits<double>::max();
  for (int round = 0; round < rounds; ++round) {
    prepare();
    const auto start = Clock::now();
    work();
    const std::chrono::duration<double, std::nano> spent = Clock::now() - start;
    best = std::min(best, spent.count() / static_cast<double>(segments));
  }
  std::printf("%-56s %7.1f\n", what, best);
}

}  // namespace

int main() {
  if (!weft::aead_init()) {
    std::fputs("a crypto library does not work on this machine\n", stderr);
    return 1;
  }
  std::printf("%-56s %7s\n", "44 TCP segments of 1366 bytes", "ns each");
  const auto pristine = make_superframe();
  constexpr std::size_t room = weft::inner_header_size;
  std::vector<std::byte> memory(room + pristine.size());
  const weft::Bytes superframe = weft::Bytes(memory).subspan(room);
  std::vector<std::byte> packets(segments * 2048);
  const auto refill = [&] { std::copy(pristine.begin(), pristine.end(), superframe.begin()); };
  const auto packet = [&](std::size_t i, std::size_t frame_size) {
    return weft::Bytes(packets).subspan(i * 2048, frame_size + weft::frame_overhead);
  };

  report("cut, copied", refill, [&] {
    const auto plan = weft::Segmenter::plan(superframe, vnet, 65535);
    for (std::size_t i = 0; i < plan->count(); ++i)
      plan->write(i, packet(i, plan->size(i)).data());
  });
  report("cut, in place", refill, [&] {
    auto plan = weft::Segmenter::plan(superframe, vnet, 65535);
    for (std::size_t i = 0; i < plan->count(); ++i)
      (void)plan->carve(i);
  });
  for (const weft::Cipher cipher : weft::all_ciphers) {
    const auto aead = weft::make_aead(cipher, weft::AeadKey{}, 1);
    const auto with_name = [&](const char* what) {
      return std::string(what) + std::string(cipher_name(cipher));
    };
    report(with_name("cut, copied, sealed in place: ").c_str(), refill, [&] {
      const auto plan = weft::Segmenter::plan(superframe, vnet, 65535);
      for (std::size_t i = 0; i < plan->count(); ++i) {
        const weft::Bytes out = packet(i, plan->size(i));
        weft::encode(weft::SealedHeader{.key_index = 1, .counter = i}, out);
        weft::encode(weft::InnerFrame{}, out.subspan(weft::sealed_header_size));
        plan->write(i, out.data() + weft::sealed_header_size + weft::inner_header_size);
        aead->seal(out);
      }
    });
    report(with_name("cut in place, sealed into the packet: ").c_str(), refill, [&] {
      auto plan = weft::Segmenter::plan(superframe, vnet, 65535);
      for (std::size_t i = 0; i < plan->count(); ++i) {
        const weft::Bytes frame = plan->carve(i);
        const weft::Bytes out = packet(i, frame.size());
        weft::encode(weft::SealedHeader{.key_index = 1, .counter = i}, out);
        weft::encode(weft::InnerFrame{}, {frame.data() - room, room});
        aead->seal_from(frame.data() - room, out);
      }
    });
  }

  Nowhere nowhere;
  weft::Coalescer coalescer(nowhere);
  const auto cut = [&] {
    refill();
    const auto plan = weft::Segmenter::plan(superframe, vnet, 65535);
    for (std::size_t i = 0; i < plan->count(); ++i)
      plan->write(i, packet(i, plan->size(i)).data());
  };
  report("joined", cut, [&] {
    const weft::InnerFrame inner{.partial_checksum = true, .checksum_start = 34, .checksum_offset = 16};
    for (std::size_t i = 0; i < segments; ++i) {
      coalescer.add(inner, weft::Bytes(packets).subspan(i * 2048, headers + segment_payload));
    }
    coalescer.flush();
  });
  report("alone, with a complete checksum", cut, [&] {
    const weft::InnerFrame inner{.partial_checksum = true, .checksum_start = 34, .checksum_offset = 16};
    coalescer.begin({.tcp = false, .udp = false}, 0);
    for (std::size_t i = 0; i < segments; ++i)
      coalescer.add(inner, weft::Bytes(packets).subspan(i * 2048, headers + segment_payload));
  });
  return nowhere.frames == std::size_t{2 * rounds} * segments ? 0 : 1;
}
