/// Datagrams from the network: decoded, opened (forged ones must not), and contents that a member of the
/// network sealed.
#include "input.h"
#include "packet/messages/kernel_probe.h"
#include "session/key.h"
#include "wire/header.h"

using weft::fuzz::Input;
using weft::fuzz::require;

namespace {

constexpr std::uint32_t key_index = 1;

void decode_content(weft::ConstBytes content) {
  const auto kind = weft::inner_kind(content);
  if (!kind) return;
  if (const auto inner = weft::decode_frame(content)) {
    const std::size_t frame_size = content.size() - weft::inner_header_size;
    require(*kind == weft::InnerKind::frame && frame_size >= weft::ethernet_header_size);
    if (inner->partial_checksum) require(inner->checksum_start + inner->checksum_offset + 2U <= frame_size);
  }
  if (const auto fragment = weft::decode_fragment(content)) require(fragment->index < fragment->count);
  (void)weft::decode_probe(content);
  (void)weft::decode_reply(content);
  (void)weft::decode_kernel_probe(content);
  require(!weft::is_kernel_probe(content) || content.size() >= weft::kernel_probe_header_size);
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  require(weft::aead_init());
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  const auto cipher = weft::all_ciphers[input.u8() % weft::all_ciphers.size()];
  weft::OpeningKey opening(key_index, weft::make_aead(cipher, weft::AeadKey{}, key_index));

  auto packet = input.rest();
  decode_content(packet);
  if (const auto header = weft::decode_sealed(packet)) {
    auto forged = packet;
    require(opening.open(*header, forged) == weft::OpenResult::bad_tag);
  }

  const auto content = packet;
  packet.insert(packet.begin(), weft::sealed_header_size, std::byte{});
  packet.insert(packet.end(), weft::tag_size, std::byte{});
  weft::SealingKey sealing(key_index, weft::make_aead(cipher, weft::AeadKey{}, key_index));
  require(sealing.seal(0, packet));
  if (const auto header = weft::decode_sealed(packet)) {
    auto replay = packet;
    require(opening.open(*header, packet) == weft::OpenResult::newest);
    require(std::equal(content.begin(), content.end(), packet.begin() + weft::sealed_header_size));
    require(opening.open(*header, replay) == weft::OpenResult::replayed);
  }
  return 0;
}
