#include "switch/mac_table.h"

#include <doctest/doctest.h>

#include <atomic>
#include <set>
#include <thread>
#include <vector>

namespace weft {
namespace {

MacAddress mac(std::uint32_t number) {
  MacAddress address{std::byte{2}};
  store32(address.data() + 2, number);
  return address;
}

using Learned = MacTable::Learned;

TEST_CASE("an address is found behind who used it, per network") {
  MacTable table;
  CHECK(table.learn(1, mac(1), 5, 100).what == Learned::added);
  CHECK(table.learn(2, mac(1), local_owner, 100).what == Learned::added);
  CHECK(table.lookup(1, mac(1), 100) == 5);
  CHECK(table.lookup(2, mac(1), 100) == local_owner);
  CHECK_FALSE(table.lookup(3, mac(1), 100).has_value());
  CHECK_FALSE(table.lookup(1, mac(2), 100).has_value());
}

TEST_CASE("a move is told with the former owner") {
  MacTable table;
  table.learn(0, mac(1), 5, 100);
  CHECK(table.learn(0, mac(1), 5, 101).what == Learned::known);
  const auto moved = table.learn(0, mac(1), 6, 102);
  CHECK(moved.what == Learned::moved);
  CHECK(moved.previous == 5);
  CHECK(table.lookup(0, mac(1), 102) == 6);
}

TEST_CASE("an address not seen for 300 s is forgotten, one seen meanwhile is not") {
  MacTable table;
  table.learn(0, mac(1), 5, 100);
  table.learn(0, mac(2), 5, 100);
  table.learn(0, mac(2), 5, 200);
  CHECK(table.lookup(0, mac(1), 399) == 5);
  CHECK_FALSE(table.lookup(0, mac(1), 400).has_value());
  CHECK(table.expire(400) == 1);
  CHECK(table.lookup(0, mac(2), 400) == 5);
}

TEST_CASE("a clock that another worker read a second earlier harms nothing") {
  MacTable table;
  table.learn(0, mac(1), 5, 101);
  CHECK(table.lookup(0, mac(1), 100) == 5);
  CHECK(table.expire(100) == 0);
}

TEST_CASE("group addresses and zeros are not learned") {
  MacTable table;
  MacAddress group = mac(1);
  group[0] = std::byte{1};
  table.learn(0, group, 5, 100);
  table.learn(0, MacAddress{}, 5, 100);
  std::size_t entries = 0;
  table.for_each([&](const MacTable::Entry&) { ++entries; });
  CHECK(entries == 0);
  CHECK_FALSE(table.lookup(0, MacAddress{}, 100).has_value());
}

TEST_CASE("removing a peer or a network forgets its addresses only") {
  MacTable table;
  table.learn(1, mac(1), 5, 100);
  table.learn(1, mac(2), 6, 100);
  table.learn(2, mac(3), 6, 100);
  CHECK(table.remove_owner(5) == 1);
  CHECK(table.remove_network(1) == 1);
  CHECK_FALSE(table.lookup(1, mac(1), 100).has_value());
  CHECK_FALSE(table.lookup(1, mac(2), 100).has_value());
  CHECK(table.lookup(2, mac(3), 100) == 6);
}

TEST_CASE("the dump names every entry") {
  MacTable table;
  table.learn(7, mac(0x01020304), 5, 100);
  std::vector<MacTable::Entry> entries;
  table.for_each([&](const MacTable::Entry& entry) { entries.push_back(entry); });
  REQUIRE(entries.size() == 1);
  CHECK(entries[0].network == 7);
  CHECK(entries[0].mac == mac(0x01020304));
  CHECK(entries[0].owner == 5);
  CHECK(entries[0].seen_s == 100);
}

TEST_CASE("4000 addresses fit, and a flood of others lets the table work on") {
  MacTable table;
  std::size_t found = 0;
  for (std::uint32_t i = 0; i < 4000; ++i)
    table.learn(0, mac(i), 1, 100);
  for (std::uint32_t i = 0; i < 4000; ++i)
    found += table.lookup(0, mac(i), 100).has_value() ? 1 : 0;
  CHECK(found > 3990);
  for (std::uint32_t i = 0; i < 200000; ++i)
    table.learn(0, mac(1000000 + i), 2, 101);
  table.learn(0, mac(1), 3, 102);
  CHECK(table.lookup(0, mac(1), 102) == 3);
}

TEST_CASE("several workers learn, look up and remove at once, and see only owners that were") {
  MacTable table;
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (MacOwner owner = 1; owner <= 3; ++owner) {
    threads.emplace_back([&table, &wrong, owner] {
      for (std::uint32_t i = 0; i < 20000; ++i) {
        table.learn(0, mac(i % 64), owner, 100 + i / 1000);
        const auto found = table.lookup(0, mac((i + 7) % 64), 100 + i / 1000);
        if (found && (*found < 1 || *found > 3)) ++wrong;
        if (i % 997 == 0) table.remove_owner(owner);
      }
    });
  }
  for (auto& thread : threads)
    thread.join();
  std::set<MacAddress> seen;
  table.for_each([&](const MacTable::Entry& entry) {
    if (!seen.insert(entry.mac).second) ++wrong;
  });
  CHECK(wrong == 0);
}

}  // namespace
}  // namespace weft
