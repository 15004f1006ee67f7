#include "fragment/reassembler.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "fragment/fragmenter.h"
#include "frames.h"

namespace weft {
namespace {

using test::Buffer;

std::vector<Buffer> cut(const Buffer& content, std::size_t max_piece, std::uint32_t id) {
  const auto plan = Fragmenter::plan(content, max_piece, id);
  REQUIRE(plan.has_value());
  std::vector<Buffer> pieces;
  for (unsigned i = 0; i < plan->count(); ++i) {
    pieces.emplace_back(plan->size(i));
    plan->write(i, pieces.back());
    CHECK(pieces.back().size() <= inner_header_size + max_piece);
  }
  return pieces;
}

struct Receiver {
  Reassembler reassembler;
  ReassemblyDrops drops;
  Buffer out = Buffer(max_frame_size + inner_header_size);

  std::size_t add(ConstBytes fragment, std::uint64_t now_ms = 0) {
    const auto header = decode_fragment(fragment);
    REQUIRE(header);
    return reassembler.add(*header, fragment.subspan(inner_header_size), now_ms, out, drops);
  }
};

TEST_CASE("pieces in any order give the content again") {
  std::mt19937 random(3);
  for (int round = 0; round < 200; ++round) {
    const std::size_t max_piece = 200 + random() % 1300;
    const Buffer content = test::random_bytes(random, max_piece + 1 + random() % (60 * max_piece));
    if (content.size() > max_frame_size) continue;
    auto pieces = cut(content, max_piece, 9);
    std::shuffle(pieces.begin(), pieces.end(), random);
    Receiver receiver;
    for (std::size_t i = 0; i + 1 < pieces.size(); ++i)
      REQUIRE(receiver.add(pieces[i]) == 0);
    REQUIRE(receiver.add(pieces.back()) == content.size());
    REQUIRE(std::equal(content.begin(), content.end(), receiver.out.begin()));
    CHECK(receiver.reassembler.unfinished() == 0);
  }
}

TEST_CASE("a content that fits is not cut, one of more than 64 pieces cannot be") {
  const Buffer content(6400);
  CHECK_FALSE(Fragmenter::plan(content, 6400, 0).has_value());
  CHECK(Fragmenter::plan(content, 6399, 0)->count() == 2);
  CHECK(Fragmenter::plan(content, 100, 0)->count() == 64);
  CHECK_FALSE(Fragmenter::plan(content, 99, 0).has_value());
  CHECK_FALSE(Fragmenter::plan(content, 0, 0).has_value());
}

TEST_CASE("frames whose pieces interleave are kept apart") {
  Receiver receiver;
  std::vector<std::vector<Buffer>> frames;
  for (std::uint32_t id = 0; id < Reassembler::max_unfinished; ++id) {
    frames.push_back(cut(Buffer(3000, std::byte(id)), 1000, id));
  }
  std::size_t done = 0;
  for (std::size_t piece = 0; piece < 3; ++piece) {
    for (std::size_t id = 0; id < frames.size(); ++id) {
      if (receiver.add(frames[id][piece]) == 0) continue;
      CHECK(receiver.out[2999] == std::byte(id));
      ++done;
    }
  }
  CHECK(done == frames.size());
}

TEST_CASE("the seventeenth unfinished frame drops the oldest") {
  Receiver receiver;
  std::vector<std::vector<Buffer>> frames;
  for (std::uint32_t id = 0; id <= Reassembler::max_unfinished; ++id) {
    frames.push_back(cut(Buffer(2000), 1000, id));
    CHECK(receiver.add(frames.back()[0]) == 0);
  }
  CHECK(receiver.drops.evicted == 1);
  CHECK(receiver.reassembler.unfinished() == Reassembler::max_unfinished);
  CHECK(receiver.add(frames[1][1]) == 2000);
  CHECK(receiver.add(frames[0][1]) == 0);
}

TEST_CASE("an unfinished frame is dropped after a second") {
  Receiver receiver;
  const auto pieces = cut(Buffer(2000), 1000, 1);
  CHECK(receiver.add(pieces[0], 5000) == 0);
  receiver.reassembler.expire(5999, receiver.drops);
  CHECK(receiver.drops.expired == 0);
  receiver.reassembler.expire(6000, receiver.drops);
  CHECK(receiver.drops.expired == 1);
  CHECK(receiver.add(pieces[1], 6000) == 0);
}

TEST_CASE("duplicates, other counts and other lengths never give a frame that was not sent") {
  const InnerFragment first{.index = 0, .count = 2, .id = 1};
  const InnerFragment second{.index = 1, .count = 2, .id = 1};
  const auto give = [](Receiver& receiver, const InnerFragment& header, std::size_t size) {
    return receiver.reassembler.add(header, Buffer(size), 0, receiver.out, receiver.drops);
  };
  {
    Receiver receiver;
    CHECK(give(receiver, first, 100) == 0);
    CHECK(give(receiver, first, 100) == 0);
    CHECK(give(receiver, {.index = 1, .count = 3, .id = 1}, 100) == 0);
    CHECK(receiver.drops.inconsistent == 2);
    CHECK(give(receiver, second, 100) == 200);
  }
  {
    Receiver receiver;  // the last piece is longer than the first
    CHECK(give(receiver, first, 100) == 0);
    CHECK(give(receiver, second, 101) == 0);
    CHECK(receiver.drops.inconsistent == 1);
    CHECK(receiver.reassembler.unfinished() == 0);
  }
  {
    Receiver receiver;  // more than any frame
    CHECK(give(receiver, first, 40000) == 0);
    CHECK(give(receiver, second, 40000) == 0);
    CHECK(receiver.drops.inconsistent == 1);
  }
}

}  // namespace
}  // namespace weft
