#include "fragment/reassembler.h"

#include <algorithm>

namespace weft {
namespace {

constexpr std::size_t max_content = max_frame_size + inner_header_size;

}  // namespace

Reassembler::Unfinished* Reassembler::frame_of(const InnerFragment& fragment, std::uint64_t now_ms,
                                               ReassemblyDrops& drops) {
  const auto found = std::find_if(frames_.begin(), frames_.end(),
                                  [&](const Unfinished& frame) { return frame.id == fragment.id; });
  if (found != frames_.end()) return found->count == fragment.count ? &*found : nullptr;
  if (frames_.size() == max_unfinished) {
    frames_.erase(frames_.begin());
    ++drops.evicted;
  }
  frames_.push_back({.id = fragment.id, .count = fragment.count, .since_ms = now_ms, .pieces = {}});
  frames_.back().pieces.resize(fragment.count);
  return &frames_.back();
}

std::size_t Reassembler::add(const InnerFragment& fragment, ConstBytes piece, std::uint64_t now_ms, Bytes out,
                             ReassemblyDrops& drops) {
  expire(now_ms, drops);
  Unfinished* frame = frame_of(fragment, now_ms, drops);
  const bool fits = frame != nullptr && !piece.empty() && frame->pieces[fragment.index].empty() &&
                    frame->size + piece.size() <= max_content;
  if (!fits) {
    ++drops.inconsistent;
    return 0;
  }
  frame->pieces[fragment.index].assign(piece.begin(), piece.end());
  frame->size += piece.size();
  ++frame->arrived;
  if (frame->arrived < frame->count) return 0;

  const std::size_t size = frame->size;
  const std::size_t piece_size = frame->pieces.front().size();
  bool regular = frame->pieces.back().size() <= piece_size && size <= out.size();
  std::byte* to = out.data();
  for (std::size_t i = 0; regular && i < frame->pieces.size(); ++i) {
    const auto& from = frame->pieces[i];
    regular = i + 1 == frame->pieces.size() || from.size() == piece_size;
    if (regular) to = std::copy(from.begin(), from.end(), to);
  }
  frames_.erase(frames_.begin() + (frame - frames_.data()));
  if (!regular) {
    ++drops.inconsistent;
    return 0;
  }
  return size;
}

void Reassembler::expire(std::uint64_t now_ms, ReassemblyDrops& drops) noexcept {
  const auto fresh = std::find_if(frames_.begin(), frames_.end(), [now_ms](const Unfinished& frame) {
    return frame.since_ms + lifetime_ms > now_ms;
  });
  drops.expired += static_cast<std::uint64_t>(fresh - frames_.begin());
  frames_.erase(frames_.begin(), fresh);
}

}  // namespace weft
