/// Checks the code against the vectors that docs/protocol.md prints, read from the document itself.
#include <doctest/doctest.h>

#include <fstream>
#include <map>
#include <string>

#include "aead/aead.h"
#include "frames.h"

namespace weft {
namespace {

using test::Buffer;
using Vector = std::map<std::string, std::string>;

/// The fenced blocks of section 2.7; each line is `name: value`, indented lines go on with the value before.
std::vector<Vector> read_vectors() {
  std::ifstream document(WEFT_PROTOCOL_DOCUMENT);
  std::vector<Vector> vectors;
  bool in_section = false;
  bool in_block = false;
  std::string name;
  for (std::string line; std::getline(document, line);) {
    if (line.starts_with("### ") || line.starts_with("## ")) in_section = line.starts_with("### 2.7 ");
    if (!in_section) continue;
    if (line.starts_with("```")) {
      in_block = !in_block;
      if (in_block) vectors.emplace_back();
      continue;
    }
    if (!in_block) continue;
    const std::size_t colon = line.find(':');
    if (colon != std::string::npos) name = line.substr(0, colon);
    std::string& value = vectors.back()[name];
    for (const char c : line.substr(colon == std::string::npos ? 0 : colon + 1)) {
      if (c != ' ') value += c;
    }
  }
  return vectors;
}

Buffer bytes(const std::string& hex) {
  Buffer result;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    result.push_back(std::byte(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return result;
}

template <std::size_t N>
Secret<N> secret(const std::string& hex) {
  const Buffer from = bytes(hex);
  REQUIRE(from.size() == N);
  return Secret<N>(std::span<const std::byte, N>(from));
}

Buffer joined(std::initializer_list<Buffer> parts) {
  Buffer all;
  for (const Buffer& part : parts)
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

TEST_CASE("the documented sealed packets are those of every implementation") {
  std::size_t checked = 0;
  for (Vector& vector : read_vectors()) {
    if (!vector.contains("cipher")) continue;
    CAPTURE(vector["cipher"]);
    const auto cipher = cipher_from_name(vector["cipher"]);
    REQUIRE(cipher.has_value());
    const Buffer expected = bytes(vector["packet"]);
    const auto header = decode_sealed(expected);
    REQUIRE(header);
    Buffer documented_header(sealed_header_size);
    encode(*header, documented_header);
    CHECK(documented_header == bytes(vector["header"]));
    const Buffer content = bytes(vector["content"]);
    const auto inner = decode_frame(content);
    REQUIRE(inner);
    CHECK(*inner ==
          InnerFrame{.partial_checksum = true, .network = 2, .checksum_start = 34, .checksum_offset = 6});

    for (const auto& implementation : aead_implementations(*cipher)) {
      const auto aead = implementation.make(secret<32>(vector["key"]), header->key_index);
      Buffer packet = joined({documented_header, content, Buffer(tag_size)});
      aead->seal(packet);
      CHECK(packet == expected);
      CHECK(aead->open(packet));
      CHECK(packet == joined({documented_header, content, Buffer(packet.end() - tag_size, packet.end())}));
    }
    ++checked;
  }
  CHECK(checked == all_ciphers.size());
}

TEST_CASE("the documented relayed packet is ours") {
  std::size_t checked = 0;
  for (Vector& vector : read_vectors()) {
    if (!vector.contains("hop key")) continue;
    const HopKey key = secret<16>(vector["hop key"]);
    Buffer datagram = joined({Buffer(relay_header_size), bytes(vector["packet"])});
    encode(RelayHeader{.lane = 5,
                       .hop_limit = 16,
                       .hop_key_index = 0x0a0b0c0d,
                       .destination = 0x1111111111111111,
                       .source = 0x2222222222222222},
           key, datagram);
    CHECK(datagram == joined({bytes(vector["relay header"]), bytes(vector["packet"])}));
    CHECK(decode_relay(datagram));
    CHECK(verify_hop_tag(key, datagram));
    ++checked;
  }
  CHECK(checked == 1);
}

TEST_CASE("the documented tag of a plain packet is ours") {
  std::size_t checked = 0;
  for (Vector& vector : read_vectors()) {
    if (!vector.contains("plain hop key")) continue;
    Buffer packet = joined({bytes(vector["plain header"]), Buffer(inner_header_size + tag_size)});
    REQUIRE(decode_sealed(packet));
    CHECK(decode_sealed(packet)->plain);
    write_plain_tag(secret<16>(vector["plain hop key"]), packet);
    CHECK(Buffer(packet.end() - tag_size, packet.end()) == bytes(vector["plain tag"]));
    ++checked;
  }
  CHECK(checked == 1);
}

}  // namespace
}  // namespace weft
