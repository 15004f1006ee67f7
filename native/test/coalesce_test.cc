#include "packet/superframe/coalesce.h"

#include <doctest/doctest.h>

#include <deque>

#include "frames.h"
#include "packet/superframe/segment.h"

namespace weft {
namespace {

using test::Buffer;
using test::FrameSpec;

struct Written {
  std::uint16_t network;
  VnetHeader vnet;
  Buffer frame;
  std::size_t frames;
};

/// Keeps what a TAP would get.
class Tap final : public FrameSink {
 public:
  void write_frame(std::uint16_t network, std::span<const iovec> parts, std::size_t frames) override {
    Written written{.network = network, .vnet = {}, .frame = {}, .frames = frames};
    REQUIRE(parts[0].iov_len == sizeof written.vnet);
    std::memcpy(&written.vnet, parts[0].iov_base, sizeof written.vnet);
    for (const iovec& part : parts.subspan(1)) {
      const auto* bytes = static_cast<const std::byte*>(part.iov_base);
      written.frame.insert(written.frame.end(), bytes, bytes + part.iov_len);
    }
    all.push_back(std::move(written));
  }

  std::vector<Written> all;
};

/// A coalescer with the memory for its frames.
struct Receiver {
  Tap tap;
  Coalescer coalescer{tap};
  std::deque<Buffer> memory;

  void add(const InnerFrame& inner, Buffer frame) {
    memory.push_back(std::move(frame));
    coalescer.add(inner, memory.back());
  }
  void add(const FrameSpec& spec, std::uint16_t network = 0) {
    add(test::inner_of(spec, network), test::make_frame(spec));
  }
  const std::vector<Written>& flush() {
    coalescer.flush();
    return tap.all;
  }
};

std::vector<std::size_t> joined(const std::vector<Written>& all) {
  std::vector<std::size_t> frames;
  for (const Written& written : all)
    frames.push_back(written.frames);
  return frames;
}

using Joined = std::vector<std::size_t>;

FrameSpec nth(FrameSpec spec, unsigned index) {
  spec.sequence += static_cast<std::uint32_t>(index * spec.payload);
  spec.id = static_cast<std::uint16_t>(spec.id + index);
  spec.payload_seed = static_cast<std::uint8_t>(index);
  return spec;
}

TEST_CASE("what was cut from a superframe is joined to the same superframe, byte for byte") {
  for (const bool ipv6 : {false, true}) {
    for (const bool udp : {false, true}) {
      for (const std::size_t payload : {1501U, 2000U, 5500U, 60000U}) {
        for (const unsigned tags : {0U, 2U}) {
          const FrameSpec spec{
              .ipv6 = ipv6, .udp = udp, .vlan_tags = tags, .tcp_options = 12, .payload = payload};
          Buffer superframe = test::make_frame(spec);
          const VnetHeader vnet = test::vnet_of(spec, 1000);
          const auto plan = Segmenter::plan(superframe, vnet, 65535);
          REQUIRE(plan.has_value());
          Receiver receiver;
          for (std::size_t i = 0; i < plan->count(); ++i) {
            Buffer segment(plan->size(i));
            plan->write(i, segment.data());
            receiver.add(test::inner_of(spec, 3), std::move(segment));
          }
          const auto& all = receiver.flush();
          REQUIRE(all.size() == 1);
          CHECK(all[0].network == 3);
          CHECK(all[0].frames == plan->count());
          CHECK(all[0].frame == superframe);
          CHECK(std::memcmp(&all[0].vnet, &vnet, sizeof vnet) == 0);
        }
      }
    }
  }
}

TEST_CASE("a random superframe survives the way, whatever its segment size and flags") {
  std::mt19937 random(11);
  for (int round = 0; round < 300; ++round) {
    const auto gso_size = static_cast<std::uint16_t>(200 + random() % 1300);
    const FrameSpec spec{.ipv6 = random() % 2 == 0,
                         .udp = random() % 2 == 0,
                         .ip_options = random() % 2 * 8,
                         .tcp_options = random() % 4 * 4,
                         .tcp_flags = static_cast<std::uint8_t>(random() % 2 == 0 ? 0x10 : 0x18),
                         .sequence = static_cast<std::uint32_t>(random()),
                         .id = static_cast<std::uint16_t>(random()),
                         .payload = gso_size + 1 + random() % 10000};
    Buffer superframe = test::make_frame(spec);
    const auto plan = Segmenter::plan(superframe, test::vnet_of(spec, gso_size), 65535);
    REQUIRE(plan.has_value());
    Receiver receiver;
    for (std::size_t i = 0; i < plan->count(); ++i) {
      Buffer segment(plan->size(i));
      plan->write(i, segment.data());
      receiver.add(test::inner_of(spec), std::move(segment));
    }
    // More segments than a superframe may have give several, whose payloads together are the whole.
    Buffer payload;
    for (const Written& written : receiver.flush()) {
      CHECK(test::ip_checksum_right(written.frame));
      const auto kind = written.frames == 1 ? test::Checksum::complete : test::Checksum::partial;
      CHECK(test::transport_checksum_right(written.frame, kind));
      payload.insert(payload.end(), written.frame.begin() + parse_frame(written.frame).payload_offset,
                     written.frame.end());
    }
    REQUIRE(payload ==
            Buffer(superframe.end() - static_cast<std::ptrdiff_t>(spec.payload), superframe.end()));
    const auto& first = receiver.tap.all.front();
    if (plan->count() <= 64 && first.frames > 1) REQUIRE(first.frame == superframe);
  }
}

/// As every raw socket wants it: nothing is left to do.
void check_complete(const Written& written, FrameSpec spec) {
  spec.checksum = test::Checksum::complete;
  CHECK(written.frames == 1);
  CHECK(written.frame == test::make_frame(spec));
  CHECK(test::transport_checksum_right(written.frame, test::Checksum::complete));
  const VnetHeader nothing_to_do;
  CHECK(std::memcmp(&written.vnet, &nothing_to_do, sizeof nothing_to_do) == 0);
}

TEST_CASE("a frame that stays alone has a complete checksum, whatever it came with") {
  for (const auto checksum : {test::Checksum::partial, test::Checksum::complete}) {
    for (const bool ipv6 : {false, true}) {
      for (const bool udp : {false, true}) {
        for (const unsigned tags : {0U, 1U, 2U}) {
          for (const std::size_t payload : {0U, 1U, 5U, 300U, 1448U}) {
            const FrameSpec spec{
                .ipv6 = ipv6, .udp = udp, .vlan_tags = tags, .payload = payload, .checksum = checksum};
            Receiver receiver;
            receiver.add(spec);
            const auto& all = receiver.flush();
            REQUIRE(all.size() == 1);
            check_complete(all[0], spec);
          }
        }
      }
    }
  }
}

TEST_CASE("a UDP checksum that comes out as 0 is written as 0xffff, since 0 says that there is none") {
  FrameSpec spec{.udp = true, .source_port = 0, .checksum = test::Checksum::complete};
  // What the checksum lacks to 0 is in the port, which it covers.
  spec.source_port = load16(&test::make_frame(spec)[40]);
  spec.checksum = test::Checksum::partial;
  Receiver receiver;
  receiver.add(spec);
  CHECK(load16(&receiver.flush().at(0).frame[40]) == 0xffff);
}

TEST_CASE("datagrams that fit one frame together stay apart, with complete checksums and in their order") {
  for (const bool ipv6 : {false, true}) {
    Receiver receiver;
    for (unsigned i = 0; i < 5; ++i)
      receiver.add(nth({.ipv6 = ipv6, .udp = true, .payload = i == 4 ? 80U : 100U}, i));
    const auto& all = receiver.flush();
    REQUIRE(all.size() == 5);
    for (unsigned i = 0; i < 5; ++i)
      check_complete(all[i], nth({.ipv6 = ipv6, .udp = true, .payload = i == 4 ? 80U : 100U}, i));
  }
}

TEST_CASE("datagrams that fit one frame together are joined where they come in bulk") {
  Receiver receiver;
  constexpr Micros window = 100 * microseconds_per_millisecond;
  const auto frames_at = [&](Micros now) {
    receiver.tap.all.clear();
    receiver.coalescer.begin({}, now);
    for (unsigned i = 0; i < 5; ++i)
      receiver.add(nth({.udp = true, .payload = 100}, i));
    return joined(receiver.flush());
  };
  Micros now = 0;
  for (; now < window; now += window / 100)
    CHECK(frames_at(now) == Joined{1, 1, 1, 1, 1});
  CHECK(frames_at(now) == Joined{5});
  CHECK(frames_at(now + window) == Joined{1, 1, 1, 1, 1});
}

TEST_CASE("frames that differ in what a flow shares are not joined") {
  const auto refused = [&](auto change, FrameSpec base = {}) {
    Receiver receiver;
    receiver.add(base);
    FrameSpec second = nth(base, 1);
    change(second);
    receiver.add(second);
    return joined(receiver.flush()) == Joined{1, 1};
  };
  CHECK_FALSE(refused([](auto&) {}));
  CHECK(refused([](auto& spec) { spec.sequence += 1; }));
  CHECK(refused([](auto& spec) { spec.acknowledgement += 1; }));
  CHECK(refused([](auto& spec) { spec.source_port += 1; }));
  CHECK(refused([](auto& spec) { spec.time_to_live -= 1; }));
  CHECK(refused([](auto& spec) { spec.tcp_options = 4; }));
  CHECK(refused([](auto& spec) { spec.vlan_tags = 1; }));
  CHECK(refused([](auto& spec) { spec.payload += 1; }));
  CHECK(refused([](auto& spec) { spec.payload = 0; }));
  CHECK(refused([](auto& spec) { spec.checksum = test::Checksum::complete; }));
  CHECK(refused([](auto& spec) { spec.dont_fragment = false; }));
  CHECK(refused([](auto& spec) { spec.id += 5; }));
  for (const unsigned flags : {0x11U, 0x12U, 0x14U, 0x30U, 0x50U, 0x90U, 0x00U}) {
    CHECK(refused([flags](auto& spec) { spec.tcp_flags = static_cast<std::uint8_t>(flags); }));
  }
  CHECK_FALSE(refused([](auto&) {}, {.udp = true, .payload = 1000}));
  CHECK(refused([](auto& spec) { spec.id += 1; }, {.udp = true, .payload = 1000}));
  CHECK(refused([](auto& spec) { spec.id -= 1; }, {.dont_fragment = false}));
  CHECK_FALSE(refused([](auto& spec) { spec.id -= 1; }, {.dont_fragment = true}));
}

TEST_CASE("frames of different networks are not joined") {
  Receiver receiver;
  receiver.add(nth({}, 0), 1);
  receiver.add(nth({}, 1), 2);
  CHECK(joined(receiver.flush()) == Joined{1, 1});
}

TEST_CASE("a pushed or short segment ends its superframe at once") {
  Receiver receiver;
  receiver.add(nth({}, 0));
  FrameSpec pushed = nth({}, 1);
  pushed.tcp_flags = 0x18;
  receiver.add(pushed);
  REQUIRE(joined(receiver.tap.all) == Joined{2});
  CHECK(load8(&receiver.tap.all[0].frame[47]) == 0x18);

  FrameSpec next = nth({}, 2);
  receiver.add(next);
  next.sequence += 100;
  next.id += 1;
  next.payload = 60;
  receiver.add(next);
  CHECK(joined(receiver.tap.all) == Joined{2, 2});
}

TEST_CASE("flows that alternate are joined each for itself, and each keeps its order") {
  Receiver receiver;
  for (unsigned i = 0; i < 10; ++i) {
    for (const std::uint16_t port : std::array<std::uint16_t, 4>{1000, 2000, 3000, 4000}) {
      receiver.add(nth({.source_port = port}, i));
    }
    receiver.add({.tcp_flags = 0x10, .source_port = 9, .payload = 0});  // somebody's ACK
  }
  std::size_t superframes = 0;
  for (const Written& written : receiver.flush())
    superframes += written.frames == 10 ? 1 : 0;
  CHECK(superframes == 4);
}

TEST_CASE("a frame that cannot join is written after those of its flow that came before it") {
  Receiver receiver;
  receiver.add(nth({}, 0));
  receiver.add(nth({}, 1));
  FrameSpec fin = nth({}, 2);
  fin.tcp_flags = 0x11;
  receiver.add(fin);
  receiver.add({.tcp_flags = 0x10, .source_port = 9, .payload = 0});
  CHECK(joined(receiver.tap.all) == Joined{2, 1, 1});
  CHECK(load8(&receiver.tap.all[1].frame[47]) == 0x11);
}

TEST_CASE("more flows than places are written without loss") {
  Receiver receiver;
  for (unsigned i = 0; i < 3; ++i) {
    for (std::uint16_t port = 1000; port < 1020; ++port)
      receiver.add(nth({.source_port = port}, i));
  }
  std::size_t frames = 0;
  for (const Written& written : receiver.flush())
    frames += written.frames;
  CHECK(frames == 60);
}

TEST_CASE("a superframe never exceeds what an IP packet can be") {
  for (const bool ipv6 : {false, true}) {
    Receiver receiver;
    for (unsigned i = 0; i < 60; ++i)
      receiver.add(nth({.ipv6 = ipv6, .payload = 1448}, i));
    const auto& all = receiver.flush();
    CHECK(all.size() == 2);
    for (const Written& written : all)
      CHECK(written.frame.size() - 14 <= 65535);
  }
}

TEST_CASE("nothing is joined that the TAP does not take") {
  for (const bool udp : {false, true}) {
    Receiver receiver;
    receiver.coalescer.begin({.tcp = udp, .udp = !udp}, 0);
    receiver.add(nth({.udp = udp, .payload = 1000}, 0));
    receiver.add(nth({.udp = udp, .payload = 1000}, 1));
    CHECK(joined(receiver.flush()) == Joined{1, 1});
  }
}

TEST_CASE("frames that are no TCP or UDP pass at once") {
  Receiver receiver;
  Buffer arp(60);
  store16(&arp[12], ethertype_arp);
  receiver.add({}, arp);
  receiver.add({}, Buffer(14));
  CHECK(joined(receiver.tap.all) == Joined{1, 1});
}

}  // namespace
}  // namespace weft
