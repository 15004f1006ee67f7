#include "stream/deframer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "wire/header.h"

namespace weft {
namespace {

std::vector<std::byte> make_packet(std::size_t size, unsigned seed) {
  std::vector<std::byte> packet(size);
  for (std::size_t i = 0; i < size; ++i)
    packet[i] = static_cast<std::byte>(i * 7 + seed);
  return packet;
}

void append(std::vector<std::byte>& stream, const std::vector<std::byte>& packet) {
  std::byte length[stream_prefix];
  store16(length, static_cast<std::uint16_t>(packet.size()));
  stream.insert(stream.end(), length, length + stream_prefix);
  stream.insert(stream.end(), packet.begin(), packet.end());
}

/// Gives the stream to the deframer in pieces of at most `piece` bytes, and collects the packets.
std::vector<std::vector<std::byte>> deframe(Deframer& deframer, ConstBytes stream, std::size_t piece) {
  std::vector<std::vector<std::byte>> packets;
  while (!stream.empty()) {
    const Bytes room = deframer.room();
    REQUIRE_FALSE(room.empty());
    const std::size_t size = std::min({piece, room.size(), stream.size()});
    std::copy_n(stream.begin(), size, room.begin());
    deframer.filled(size);
    stream = stream.subspan(size);
    while (const auto packet = deframer.next())
      packets.emplace_back(packet->begin(), packet->end());
  }
  return packets;
}

TEST_CASE("packets come out of a stream as they went in, however it is cut") {
  std::mt19937 random(1);
  std::vector<std::vector<std::byte>> sent;
  std::vector<std::byte> stream;
  for (unsigned i = 0; i < 200; ++i) {
    const std::size_t size = i % 40 == 0 ? max_stream_packet : min_sealed_size + random() % 3000;
    sent.push_back(make_packet(size, i));
    append(stream, sent.back());
  }
  for (const std::size_t piece : {1UL, 2UL, 3UL, 1447UL, 65'536UL, 1'000'000UL}) {
    CAPTURE(piece);
    Deframer deframer;
    CHECK(deframe(deframer, stream, piece) == sent);
    CHECK_FALSE(deframer.broken());
  }
}

TEST_CASE("a length that no packet has ends the stream, and what came before it counts") {
  for (const unsigned length : {0U, 1U, static_cast<unsigned>(min_sealed_size) - 1}) {
    std::vector<std::byte> stream;
    append(stream, make_packet(100, 1));
    stream.push_back(static_cast<std::byte>(length >> 8));
    stream.push_back(static_cast<std::byte>(length));
    append(stream, make_packet(100, 2));
    Deframer deframer;
    CHECK(deframe(deframer, stream, 50).size() == 1);
    CHECK(deframer.broken());
  }
}

TEST_CASE("a packet that never ends keeps its place and takes no more") {
  Deframer deframer;
  std::vector<std::byte> stream{std::byte{0xff}, std::byte{0xff}};
  stream.resize(max_stream_packet);
  CHECK(deframe(deframer, stream, 4096).empty());
  CHECK_FALSE(deframer.broken());
  stream.assign(stream_prefix, std::byte{0});
  CHECK(deframe(deframer, stream, 4096).size() == 1);
}

}  // namespace
}  // namespace weft
