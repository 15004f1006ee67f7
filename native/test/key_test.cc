#include "session/key.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "frames.h"

namespace weft {
namespace {

using test::Buffer;

constexpr std::uint32_t index = 77;

struct Pair {
  SealingKey sealing{index, make_aead(Cipher::chacha20_poly1305, AeadKey{}, index)};
  OpeningKey opening{index, make_aead(Cipher::chacha20_poly1305, AeadKey{}, index)};

  Buffer seal(unsigned lane) {
    Buffer packet(min_sealed_size + 100);
    REQUIRE(sealing.seal(lane, packet));
    return packet;
  }
  OpenResult open(Buffer packet) {
    const auto header = decode_sealed(packet);
    REQUIRE(header);
    return opening.open(*header, packet);
  }
};

TEST_CASE("a packet opens once") {
  Pair pair;
  const Buffer packet = pair.seal(0);
  CHECK(pair.open(packet) == OpenResult::newest);
  CHECK(pair.open(packet) == OpenResult::replayed);
}

TEST_CASE("a reordered packet opens, but is not the newest") {
  Pair pair;
  const Buffer first = pair.seal(4);
  const Buffer second = pair.seal(4);
  CHECK(pair.open(second) == OpenResult::newest);
  CHECK(pair.open(first) == OpenResult::accepted);
}

TEST_CASE("lanes count and remember independently") {
  Pair pair;
  for (unsigned lane = 0; lane < lane_count; ++lane) {
    const Buffer packet = pair.seal(lane);
    CHECK(decode_sealed(packet)->counter == 0);
    CHECK(pair.open(packet) == OpenResult::newest);
  }
  CHECK(pair.sealing.sent() == lane_count);
  CHECK(pair.sealing.highest_counter() == 1);
}

TEST_CASE("a forged packet does not mark its counter") {
  Pair pair;
  Buffer packet = pair.seal(0);
  Buffer forged = packet;
  forged.back() ^= std::byte{1};
  CHECK(pair.open(forged) == OpenResult::bad_tag);
  CHECK(pair.open(packet) == OpenResult::newest);
}

TEST_CASE("a lane is refused at its last counter") {
  Pair pair;
  CHECK(pair.sealing.reserve(0, counter_limit - 1) == 0);
  CHECK(pair.sealing.reserve(0, 1) == counter_limit - 1);
  CHECK_FALSE(pair.sealing.reserve(0, 1).has_value());
  Buffer packet(min_sealed_size);
  CHECK_FALSE(pair.sealing.seal(0, packet));
  CHECK(pair.sealing.reserve(1, 1) == 0);
}

TEST_CASE("several threads on one lane never share a counter and open each packet once") {
  Pair pair;
  std::atomic<int> opened_packets{0};
  std::atomic<int> replays{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 500; ++round) {
        Buffer packet(min_sealed_size + 30);
        if (!pair.sealing.seal(9, packet)) continue;
        const auto header = decode_sealed(packet);
        Buffer again = packet;
        if (opened(pair.opening.open(*header, packet))) ++opened_packets;
        if (pair.opening.open(*header, again) == OpenResult::replayed) ++replays;
      }
    });
  }
  for (auto& thread : threads)
    thread.join();
  CHECK(opened_packets == 2000);
  CHECK(replays == 2000);
}

}  // namespace
}  // namespace weft
