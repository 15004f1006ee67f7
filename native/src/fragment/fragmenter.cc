#include "fragment/fragmenter.h"

#include <algorithm>

namespace weft {

std::optional<Fragmenter> Fragmenter::plan(ConstBytes content, std::size_t max_piece,
                                           std::uint32_t id) noexcept {
  if (max_piece == 0 || content.size() <= max_piece) return std::nullopt;
  const std::size_t count = (content.size() + max_piece - 1) / max_piece;
  if (count > max_fragment_count) return std::nullopt;
  const std::size_t piece = (content.size() + count - 1) / count;
  return Fragmenter(content, piece, static_cast<unsigned>(count), id);
}

std::size_t Fragmenter::size(unsigned index) const noexcept {
  return inner_header_size + std::min(piece_, content_.size() - index * piece_);
}

void Fragmenter::write(unsigned index, Bytes out) const noexcept {
  encode(
      InnerFragment{
          .index = static_cast<std::uint8_t>(index), .count = static_cast<std::uint8_t>(count_), .id = id_},
      out);
  std::memcpy(out.data() + inner_header_size, content_.data() + index * piece_,
              size(index) - inner_header_size);
}

}  // namespace weft
