/// By which way packets reach a peer: UDP, a relay, or a TCP stream.
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace weft {

enum class Way : std::uint8_t {
  direct,  ///< datagrams straight to one of its addresses
  relay,   ///< datagrams to another peer, which passes them on
  stream,  ///< a TCP connection with it
};

/// Pure. The daemon decides about relays; between UDP and a stream the peer's answers decide: UDP as long as
/// it answers. On a detour (any other way than UDP) it also watches whether the endpoint answers, for one
/// answer may be luck, and going back and forth costs more than staying a moment.
class Transport {
 public:
  /// Answers in a row that make UDP worth returning to.
  static constexpr unsigned answers_needed = 3;

  void set_relayed(bool relayed) noexcept { relayed_ = relayed; }
  void set_stream(bool there) noexcept { stream_ = there; }

  [[nodiscard]] Way way() const noexcept { return way_; }
  [[nodiscard]] bool detour() const noexcept { return way_ != Way::direct; }
  [[nodiscard]] bool has_stream() const noexcept { return stream_; }

  /// The way to take. `direct`: UDP works.
  [[nodiscard]] Way wanted(bool direct) const noexcept;
  void take(Way way, bool direct, Micros now) noexcept;

  // On a detour:

  /// The endpoint answers over UDP.
  [[nodiscard]] bool direct() const noexcept { return direct_; }
  /// It has begun to.
  [[nodiscard]] bool promising() const noexcept { return direct_answers_ > 0; }
  [[nodiscard]] bool answered_lately(Micros now) const noexcept;
  /// Until when its last answer counts.
  [[nodiscard]] Micros answer_holds_until() const noexcept;
  /// It answered. True if that was one of several in a row, enough to call UDP working again.
  bool answered(Micros now) noexcept;
  /// Another endpoint: the row begins anew.
  void restart_row() noexcept { direct_answers_ = 0; }
  /// A probe that was sent then got no answer.
  void missed(Micros sent) noexcept;
  /// The last answer is too old. True if that is news.
  bool fall_silent() noexcept;

 private:
  bool relayed_ = false;  // wanted
  bool stream_ = false;   // there is one
  Way way_ = Way::direct;
  bool direct_ = false;           // the endpoint answers
  unsigned direct_answers_ = 0;   // in a row
  Micros endpoint_answered_ = 0;  // the last of them
  Micros direct_row_since_ = 0;   // the first of them
};

}  // namespace weft
