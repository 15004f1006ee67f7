/// Bytes of a TCP connection to a peer.
#include "input.h"
#include "stream/deframer.h"
#include "wire/header.h"

using weft::fuzz::Input;
using weft::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  weft::Deframer deframer;
  std::size_t given = 0;
  std::size_t taken = 0;
  while (!input.empty()) {
    const auto piece = input.bytes(input.u8() * 16U + 1);
    const weft::Bytes room = deframer.room();
    require(room.size() >= piece.size());
    std::copy(piece.begin(), piece.end(), room.begin());
    deframer.filled(piece.size());
    given += piece.size();
    while (const auto packet = deframer.next()) {
      require(packet->size() >= weft::min_sealed_size && packet->size() <= weft::max_stream_packet);
      taken += weft::stream_prefix + packet->size();
      require(taken <= given);
      // What is given may be changed, as opening it does, without harm to what follows.
      std::fill(packet->begin(), packet->end(), std::byte{0xff});
    }
    if (deframer.broken()) require(!deframer.next().has_value());
  }
  return 0;
}
