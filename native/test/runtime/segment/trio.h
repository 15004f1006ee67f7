#pragma once

#include "../lab.h"

namespace weft::test {

/// Three hosts on one wire; the third is where nothing should arrive that is not for it.
struct Trio {
  Host a{"00000000000000aa"};
  Host b{"00000000000000bb"};
  Host c{"00000000000000cc"};

  Trio() {
    connect(a, b, "ab", "192.0.2.1/24", "192.0.2.2/24");
    connect(a, c, "ac", "198.51.100.1/24", "198.51.100.3/24");
    connect(b, c, "bc", "203.0.113.2/24", "203.0.113.3/24");
    for (Host* host : {&a, &b, &c})
      host->start();
    introduce(a, b, {"192.0.2.1:6783"}, {"192.0.2.2:6783"});
    introduce(a, c, {"198.51.100.1:6783"}, {"198.51.100.3:6783"});
    introduce(b, c, {"203.0.113.2:6783"}, {"203.0.113.3:6783"});
    await_up(a, b);
    await_up(a, c);
    await_up(b, c);
  }
};

}  // namespace weft::test
