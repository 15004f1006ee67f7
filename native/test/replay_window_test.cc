#include "session/replay_window.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <set>
#include <vector>

namespace weft {
namespace {

/// The specification, word for word.
class Model {
 public:
  ReplayVerdict check_and_set(std::uint64_t counter) {
    const bool any = !seen_.empty();
    const std::uint64_t highest = any ? *seen_.rbegin() : 0;
    if (any && counter + ReplayWindow::size <= highest) return ReplayVerdict::replayed;
    if (!seen_.insert(counter).second) return ReplayVerdict::replayed;
    return !any || counter > highest ? ReplayVerdict::newest : ReplayVerdict::accepted;
  }

 private:
  std::set<std::uint64_t> seen_;
};

TEST_CASE("a counter is accepted once") {
  ReplayWindow window;
  CHECK(window.check_and_set(0) == ReplayVerdict::newest);
  CHECK(window.check_and_set(0) == ReplayVerdict::replayed);
  CHECK(window.check_and_set(1) == ReplayVerdict::newest);
  CHECK(window.check_and_set(0) == ReplayVerdict::replayed);
}

TEST_CASE("a late counter is accepted within the window and refused behind it") {
  ReplayWindow window;
  CHECK(window.check_and_set(20000) == ReplayVerdict::newest);
  CHECK(window.check_and_set(20000 - ReplayWindow::size + 1) == ReplayVerdict::accepted);
  CHECK(window.check_and_set(20000 - ReplayWindow::size) == ReplayVerdict::replayed);
}

TEST_CASE("a leap forgets everything before it") {
  ReplayWindow window;
  for (std::uint64_t i = 0; i < 100; ++i)
    CHECK(window.check_and_set(i) == ReplayVerdict::newest);
  const std::uint64_t far = (std::uint64_t{1} << 60) - 1;
  CHECK(window.check_and_set(far) == ReplayVerdict::newest);
  for (std::uint64_t i = 1; i < ReplayWindow::size; ++i) {
    REQUIRE(window.check_and_set(far - i) == ReplayVerdict::accepted);
  }
  CHECK(window.check_and_set(50) == ReplayVerdict::replayed);
}

TEST_CASE("the window agrees with a naive model whatever the order") {
  std::mt19937_64 random(7);
  for (const std::uint64_t spread : {3U, 64U, 8192U, 30000U}) {
    ReplayWindow window;
    Model model;
    std::uint64_t base = 0;
    for (int i = 0; i < 60000; ++i) {
      if (random() % 5 == 0) base += random() % 3;
      if (random() % 5000 == 0) base += random() % 40000;
      const std::uint64_t counter = base + random() % spread;
      REQUIRE(window.check_and_set(counter) == model.check_and_set(counter));
    }
  }
}

}  // namespace
}  // namespace weft
