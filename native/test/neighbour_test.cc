#include "packet/messages/neighbour.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "frames.h"
#include "packet/checksum.h"

namespace weft {
namespace {

using test::Buffer;

constexpr MacAddress asker{std::byte{2}, std::byte{0}, std::byte{0},
                           std::byte{0}, std::byte{0}, std::byte{1}};
constexpr MacAddress owner{std::byte{2}, std::byte{0}, std::byte{0},
                           std::byte{0}, std::byte{0}, std::byte{2}};

void put(Buffer& frame, const MacAddress& mac) {
  frame.insert(frame.end(), mac.begin(), mac.end());
}
void put_words(Buffer& frame, std::initializer_list<int> values) {
  for (const int value : values) {
    frame.resize(frame.size() + 2);
    store16(frame.data() + frame.size() - 2, static_cast<std::uint16_t>(value));
  }
}
void put_ip(Buffer& frame, const char* text) {
  const auto address = IpAddress::parse(text).value();
  const auto& bytes = address.bytes();
  frame.insert(frame.end(), bytes.begin() + (address.is_ipv4() ? 12 : 0), bytes.end());
}

Buffer arp_request(const char* from, const char* target) {
  Buffer frame(6, std::byte{0xff});
  put(frame, asker);
  put_words(frame, {0x0806, 1, 0x0800, 0x0604, 1});
  put(frame, asker);
  put_ip(frame, from);
  put(frame, {});
  put_ip(frame, target);
  return frame;
}

Buffer solicitation(const char* from, const char* target) {
  Buffer frame;
  put(frame, {std::byte{0x33}, std::byte{0x33}, std::byte{0xff}, std::byte{0}, std::byte{0}, std::byte{2}});
  put(frame, asker);
  put_words(frame, {0x86dd, 0x6000, 0, 24, 0x3aff});
  put_ip(frame, from);
  put_ip(frame, "ff02::1:ff00:2");
  put_words(frame, {135 << 8, 0, 0, 0});
  put_ip(frame, target);
  return frame;
}

Buffer advertisement(const char* from, const char* target) {
  Buffer frame = solicitation(from, target);
  frame[54] = std::byte{136};
  return frame;
}

std::vector<std::string> claims(const Buffer& frame) {
  std::vector<std::string> texts;
  const NeighbourClaims found = neighbour_claims(frame, parse_frame(frame));
  for (const IpAddress& address : found.all())
    texts.push_back(address.text());
  return texts;
}

std::optional<IpAddress> question(const Buffer& frame) {
  return neighbour_question(frame, parse_frame(frame));
}

Buffer answer(const Buffer& frame) {
  Buffer out(max_neighbour_answer);
  out.resize(build_neighbour_answer(frame, parse_frame(frame), owner, out));
  return out;
}

TEST_CASE("an ARP request is answered as its target would") {
  const Buffer frame = arp_request("10.32.0.1", "10.32.0.2");
  REQUIRE(question(frame) == IpAddress::parse("10.32.0.2"));
  Buffer expected;
  put(expected, asker);
  put(expected, owner);
  put_words(expected, {0x0806, 1, 0x0800, 0x0604, 2});
  put(expected, owner);
  put_ip(expected, "10.32.0.2");
  put(expected, asker);
  put_ip(expected, "10.32.0.1");
  CHECK(answer(frame) == expected);
}

TEST_CASE("a neighbour solicitation is answered as its target would") {
  const Buffer frame = solicitation("fd00::1", "fd00::2");
  REQUIRE(question(frame) == IpAddress::parse("fd00::2"));
  const Buffer out = answer(frame);
  const Layers layers = parse_frame(out);
  REQUIRE(layers.ipv6());
  CHECK(layers.network_end == out.size());
  CHECK(destination_mac(out) == asker);
  CHECK(source_mac(out) == owner);
  CHECK(load8(&out[21]) == 255);
  CHECK(IpAddress::ipv6(&out[22]) == IpAddress::parse("fd00::2"));
  CHECK(IpAddress::ipv6(&out[38]) == IpAddress::parse("fd00::1"));
  CHECK(load16(&out[54]) == 136 << 8);
  CHECK(load32(&out[58]) == 0x6000'0000);
  CHECK(IpAddress::ipv6(&out[62]) == IpAddress::parse("fd00::2"));
  CHECK(load16(&out[78]) == 0x0201);
  CHECK(std::equal(owner.begin(), owner.end(), out.begin() + 80));
  const auto size = static_cast<std::uint32_t>(out.size() - 54);
  CHECK(checksum_finish(checksum_add(ConstBytes(out).subspan(54), pseudo_header_sum(out, layers, size))) ==
        0);
}

TEST_CASE("whoever looks whether an address is free, or announces its own, is not answered") {
  CHECK_FALSE(question(arp_request("0.0.0.0", "10.32.0.2")).has_value());
  CHECK_FALSE(question(arp_request("10.32.0.2", "10.32.0.2")).has_value());
  CHECK_FALSE(question(solicitation("::", "fd00::2")).has_value());
}

TEST_CASE("what only resembles a question is none") {
  const Buffer arp = arp_request("10.32.0.1", "10.32.0.2");
  const Buffer nd = solicitation("fd00::1", "fd00::2");
  const auto changed = [](Buffer frame, std::size_t at, unsigned value) {
    frame[at] = static_cast<std::byte>(value);
    return frame;
  };
  CHECK_FALSE(question(changed(arp, 0, 2)).has_value());     // to one host
  CHECK_FALSE(question(changed(arp, 21, 2)).has_value());    // a reply
  CHECK_FALSE(question(changed(arp, 18, 8)).has_value());    // other addresses
  CHECK_FALSE(question(changed(arp, 27, 9)).has_value());    // the answer would go to somebody else
  CHECK_FALSE(question(changed(nd, 21, 254)).has_value());   // from beyond a router
  CHECK_FALSE(question(changed(nd, 54, 134)).has_value());   // another type
  CHECK_FALSE(question(changed(nd, 55, 1)).has_value());     // another code
  CHECK_FALSE(question(changed(nd, 22, 0xff)).has_value());  // from a group
  Buffer tagged = arp;
  tagged.insert(tagged.begin() + 12, {std::byte{0x81}, std::byte{0}, std::byte{0}, std::byte{5}});
  CHECK_FALSE(question(tagged).has_value());
  for (std::size_t size = 0; size < arp.size(); ++size)
    CHECK_FALSE(question(Buffer(arp.begin(), arp.begin() + static_cast<std::ptrdiff_t>(size))).has_value());
  for (std::size_t size = 0; size < nd.size(); ++size)
    CHECK_FALSE(question(Buffer(nd.begin(), nd.begin() + static_cast<std::ptrdiff_t>(size))).has_value());
}

TEST_CASE("ARP and neighbour discovery claim their sender's address, and what they advertise") {
  using Texts = std::vector<std::string>;
  CHECK(claims(arp_request("10.32.0.1", "10.32.0.2")) == Texts{"10.32.0.1"});
  Buffer reply = arp_request("10.32.0.1", "10.32.0.2");
  reply[21] = std::byte{2};
  CHECK(claims(reply) == Texts{"10.32.0.1"});
  CHECK(claims(solicitation("fd00::1", "fd00::2")) == Texts{"fd00::1"});
  CHECK(claims(advertisement("fd00::1", "fd00::2")) == Texts{"fd00::1", "fd00::2"});
  Buffer extended = advertisement("fd00::1", "fd00::2");
  extended[20] = std::byte{60};  // destination options, 8 bytes
  extended[19] = std::byte{32};
  extended.insert(extended.begin() + 54, {std::byte{58}, {}, std::byte{1}, std::byte{4}, {}, {}, {}, {}});
  CHECK(claims(extended) == Texts{"fd00::1", "fd00::2"});
}

TEST_CASE(
    "whoever looks whether an address is free claims nothing, nor does what is no neighbour discovery") {
  CHECK(claims(arp_request("0.0.0.0", "10.32.0.2")).empty());
  CHECK(claims(solicitation("::", "fd00::2")).empty());
  Buffer echo = solicitation("fd00::1", "fd00::2");
  echo[54] = std::byte{128};
  CHECK(claims(echo).empty());
  Buffer tagged = arp_request("10.32.0.1", "10.32.0.2");
  tagged.insert(tagged.begin() + 12, {std::byte{0x81}, std::byte{0}, std::byte{0}, std::byte{5}});
  CHECK(claims(tagged).empty());
  const Buffer whole = advertisement("fd00::1", "fd00::2");
  for (std::size_t size = 0; size < whole.size(); ++size)
    CHECK(claims(Buffer(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))).size() <= 1);
}

TEST_CASE("an announcement tells a segment where an address is, in the name of whoever sends it") {
  const MacAddress router{std::byte{2}, std::byte{9}};
  for (const char* text : {"10.32.0.1", "fd00::1"}) {
    const IpAddress address = IpAddress::parse(text).value();
    Buffer frame(max_neighbour_announcement);
    frame.resize(build_neighbour_announcement(address, owner, router, frame));
    const Layers layers = parse_frame(frame);
    CHECK(is_group(destination_mac(frame)));
    CHECK(source_mac(frame) == router);
    CHECK_FALSE(neighbour_question(frame, layers).has_value());
    CHECK(claims(frame).front() == text);
    CHECK(std::search(frame.begin() + 14, frame.end(), owner.begin(), owner.end()) != frame.end());
    if (!layers.ipv6()) continue;
    CHECK(layers.network_end == frame.size());
    const auto size = static_cast<std::uint32_t>(frame.size() - 54);
    CHECK(checksum_finish(
              checksum_add(ConstBytes(frame).subspan(54), pseudo_header_sum(frame, layers, size))) == 0);
  }
}

}  // namespace
}  // namespace weft
