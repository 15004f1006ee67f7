/// Fragments that a member of the network sealed.
#include "fragment/reassembler.h"
#include "input.h"

using weft::fuzz::Input;
using weft::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  weft::Reassembler reassembler;
  weft::ReassemblyDrops drops;
  std::vector<std::byte> out(weft::max_frame_size + weft::inner_header_size);
  std::uint64_t now_ms = 0;
  while (!input.empty()) {
    now_ms += input.u8() * 4U;
    // Few ids and small counts, so that fragments meet.
    const weft::InnerFragment header{.index = input.u8(), .count = input.u8(), .id = input.u8() % 24U};
    std::vector<std::byte> content(weft::inner_header_size);
    weft::encode(header, content);
    const auto piece = input.bytes(input.u8());
    content.insert(content.end(), piece.begin(), piece.end());
    if (const auto fragment = weft::decode_fragment(content)) {
      const std::size_t whole = reassembler.add(*fragment, piece, now_ms, out, drops);
      require(whole <= out.size());
      require(reassembler.unfinished() <= weft::Reassembler::max_unfinished);
    }
  }
  reassembler.expire(now_ms + weft::Reassembler::lifetime_ms, drops);
  require(reassembler.unfinished() == 0);
  return 0;
}
