#include "path/kernel/kernel_path.h"

namespace weft {
namespace {

// Percent of a pause by which a probe may come early.
constexpr std::uint32_t spread = 20;
// Forty times what a peer sends, so that few forged messages crowd out no true ones, and a thousandth of a
// CPU's time.
constexpr std::uint64_t opened_per_second = 1000;
constexpr std::uint64_t unit = microseconds_per_second;

}  // namespace

bool KernelPath::poll(Micros now) noexcept {
  if (!up_) return false;
  // While this process did not run it read no answers, which is no failure of the path.
  const Micros late = now > deadline() ? now - deadline() : 0;
  if (late > tolerated_delay) answer_by_ += late;
  return now >= answer_by_ && fail(now);
}

std::uint32_t KernelPath::probe(std::uint32_t random, Micros now) noexcept {
  const Micros pause = up_ ? up_pause : now < eager_until_ ? eager_pause : idle_pause;
  next_probe_ = now + pause - pause * (random % (spread + 1)) / 100;
  sent_[next_number_ % sent_.size()] = {next_number_, now};
  ++probes_;
  return next_number_++;
}

bool KernelPath::answered(std::uint32_t number, Micros now) noexcept {
  Sent& probe = sent_[number % sent_.size()];
  if (probe.at == 0 || probe.number != number) return false;
  rtt_.sample(std::max<Micros>(now - probe.at, 1));
  probe.at = 0;
  ++answers_;
  row_ = row_ > 0 && number == last_answered_ + 1 ? row_ + 1 : 1;
  last_answered_ = number;
  answer_by_ = now + patience;
  if (up_) return false;
  up_ = row_ >= answers_to_rise;
  if (up_) return true;
  // It may just have been mended.
  eager_until_ = now + eager_for;
  next_probe_ = std::min(next_probe_, now + eager_pause);
  return false;
}

bool KernelPath::fail(Micros now) noexcept {
  row_ = 0;
  if (!up_) return false;
  up_ = false;
  eager_until_ = now + eager_for;
  return true;
}

void KernelPath::hasten(Micros now) noexcept {
  next_probe_ = now;
  eager_until_ = now + eager_for;
}

bool KernelPath::may_open(Micros now) noexcept {
  const Micros elapsed = std::min<Micros>(now - refilled_, microseconds_per_second);
  refilled_ = now;
  allowance_ = std::min(allowance_ + elapsed * opened_per_second, unit * opened_per_second);
  if (allowance_ < unit) return false;
  allowance_ -= unit;
  return true;
}

}  // namespace weft
