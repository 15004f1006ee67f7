#include "switch/strangers.h"

#include <doctest/doctest.h>

namespace weft {
namespace {

MacAddress mac(unsigned number) {
  MacAddress mac{std::byte{2}};
  store32(&mac[2], number);
  return mac;
}

TEST_CASE("a stranger is told once a second") {
  Strangers strangers;
  CHECK(strangers.seen(0, mac(1), 10) == Strangers::Tell::it);
  CHECK(strangers.seen(0, mac(1), 10) == Strangers::Tell::nothing);
  CHECK(strangers.seen(1, mac(1), 10) == Strangers::Tell::it);
  CHECK(strangers.seen(0, mac(1), 11) == Strangers::Tell::it);
}

TEST_CASE("of many strangers some are told, and once a second that there are more") {
  Strangers strangers;
  for (std::uint32_t second = 1; second < 4; ++second) {
    unsigned told = 0;
    unsigned more = 0;
    for (unsigned i = 0; i < 10'000; ++i) {
      const auto tell = strangers.seen(0, mac(second * 10'000 + i), second);
      told += tell == Strangers::Tell::it ? 1 : 0;
      more += tell == Strangers::Tell::that_there_are_more ? 1 : 0;
    }
    CHECK(told == Strangers::per_second);
    CHECK(more == 1);
  }
}

}  // namespace
}  // namespace weft
