#include "aead/aead.h"

#include <doctest/doctest.h>
#include <sodium.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "aead/poly1305.h"
#include "frames.h"

namespace weft {
namespace {

using test::Buffer;

constexpr std::uint32_t key_index = 0x01020304;

AeadKey some_key() {
  AeadKey key;
  for (std::size_t i = 0; i < 32; ++i)
    key.mutable_bytes()[i] = std::byte(i * 3 + 1);
  return key;
}

Buffer packet_with(ConstBytes text, unsigned lane = 5, std::uint64_t counter = 0x1122334455667) {
  Buffer packet(sealed_header_size + text.size() + tag_size);
  encode(SealedHeader{.lane = static_cast<std::uint8_t>(lane), .key_index = key_index, .counter = counter},
         packet);
  std::copy(text.begin(), text.end(), packet.begin() + sealed_header_size);
  return packet;
}

const unsigned char* raw(const std::byte* bytes) {
  return reinterpret_cast<const unsigned char*>(bytes);
}

/// The documented construction, by libsodium's plain calls.
Buffer reference_seal(Cipher cipher, const AeadKey& key, ConstBytes packet) {
  Buffer sealed(packet.begin(), packet.end());
  const std::size_t size = packet.size() - sealed_header_size - tag_size;
  auto* text = reinterpret_cast<unsigned char*>(sealed.data() + sealed_header_size);
  const unsigned char* header = raw(packet.data());
  std::array<unsigned char, 24> nonce{};
  if (cipher == Cipher::xsalsa20_poly1305) {
    std::copy_n(header, 8, nonce.begin());
    std::copy_n(header + 8, 8, nonce.begin() + 16);
    crypto_secretbox_detached(text, text + size, text, size, nonce.data(), key.raw());
    return sealed;
  }
  std::copy_n(header, 4, nonce.begin());
  std::copy_n(header + 8, 8, nonce.begin() + 4);
  if (cipher == Cipher::chacha20_poly1305) {
    crypto_aead_chacha20poly1305_ietf_encrypt_detached(text, text + size, nullptr, text, size, header,
                                                       sealed_header_size, nullptr, nonce.data(), key.raw());
  } else {
    crypto_aead_aes256gcm_encrypt_detached(text, text + size, nullptr, text, size, header, sealed_header_size,
                                           nullptr, nonce.data(), key.raw());
  }
  return sealed;
}

bool has_reference(Cipher cipher) {
  return cipher != Cipher::aes_256_gcm || crypto_aead_aes256gcm_is_available() != 0;
}

template <typename Check>
void for_every_implementation(Check check) {
  for (const Cipher cipher : all_ciphers) {
    for (const auto& implementation : aead_implementations(cipher)) {
      CAPTURE(std::string(cipher_name(cipher)));
      CAPTURE(std::string(implementation.name));
      check(cipher, *implementation.make(some_key(), key_index));
    }
  }
}

TEST_CASE("every implementation writes the same bytes as libsodium, for every length") {
  std::mt19937 random(1);
  for_every_implementation([&](Cipher cipher, const Aead& aead) {
    if (!has_reference(cipher)) return;
    for (std::size_t size = 0; size <= 1700; size += size < 600 ? 1 : 37) {
      CAPTURE(size);
      const Buffer packet = packet_with(test::random_bytes(random, size), random() % lane_count, random());
      const Buffer expected = reference_seal(cipher, some_key(), packet);
      Buffer sealed = packet;
      aead.seal(sealed);
      REQUIRE(sealed == expected);
      REQUIRE(aead.open(sealed));
      REQUIRE(std::equal(packet.begin(), packet.end() - tag_size, sealed.begin()));
    }
  });
}

TEST_CASE("sealing from elsewhere gives what sealing in place gives") {
  std::mt19937 random(2);
  for_every_implementation([&](Cipher, const Aead& aead) {
    for (const std::size_t size : {0U, 8U, 32U, 33U, 480U, 481U, 1400U, 1438U, 9000U, 65000U}) {
      const Buffer text = test::random_bytes(random, size);
      Buffer in_place = packet_with(text);
      aead.seal(in_place);
      Buffer elsewhere = packet_with(Buffer(size));
      aead.seal_from(text.data(), elsewhere);
      REQUIRE(elsewhere == in_place);
    }
  });
}

TEST_CASE("a packet with any bit flipped does not open") {
  std::mt19937 random(3);
  for_every_implementation([&](Cipher, const Aead& aead) {
    Buffer sealed = packet_with(test::random_bytes(random, 70));
    aead.seal(sealed);
    for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
      Buffer damaged = sealed;
      damaged[bit / 8] ^= std::byte(1U << bit % 8);
      REQUIRE_FALSE(aead.open(damaged));
    }
    REQUIRE(aead.open(sealed));
  });
}

TEST_CASE("a truncated packet does not open") {
  std::mt19937 random(4);
  for_every_implementation([&](Cipher, const Aead& aead) {
    Buffer sealed = packet_with(test::random_bytes(random, 70));
    aead.seal(sealed);
    for (std::size_t size = sealed_header_size + tag_size; size < sealed.size(); ++size) {
      Buffer shorter(sealed.begin(), sealed.begin() + static_cast<std::ptrdiff_t>(size));
      REQUIRE_FALSE(aead.open(shorter));
    }
  });
}

TEST_CASE("another key does not open") {
  for_every_implementation([&](Cipher cipher, const Aead& aead) {
    Buffer sealed = packet_with(Buffer(100));
    aead.seal(sealed);
    CHECK_FALSE(make_aead(cipher, AeadKey{}, key_index)->open(sealed));
  });
}

TEST_CASE("all Poly1305 implementations agree") {
  std::mt19937 random(5);
  for (std::size_t size = 0; size < 2000; size += size < 300 ? 1 : 29) {
    const Buffer key = test::random_bytes(random, 32);
    const Buffer data = test::random_bytes(random, size);
    std::array<std::byte, 16> expected;
    crypto_onetimeauth_poly1305(reinterpret_cast<unsigned char*>(expected.data()), raw(data.data()), size,
                                raw(key.data()));
    for (const auto& implementation : poly1305_implementations()) {
      std::array<std::byte, 16> tag;
      implementation.compute(key.data(), data, tag.data());
      CAPTURE(std::string(implementation.name));
      REQUIRE(tag == expected);
    }
  }
}

TEST_CASE("one key seals and opens on several threads at once") {
  for_every_implementation([&](Cipher, const Aead& aead) {
    std::atomic<int> failures{0};
    std::vector<std::thread> threads;
    for (unsigned lane = 0; lane < 6; ++lane) {
      threads.emplace_back([&aead, &failures, lane] {
        for (std::uint64_t counter = 0; counter < 200; ++counter) {
          const Buffer text(300 + lane, std::byte(lane));
          Buffer packet = packet_with(text, lane, counter);
          aead.seal(packet);
          const bool right = aead.open(packet) && std::equal(text.begin(), text.end(), packet.begin() + 16);
          if (!right) ++failures;
        }
      });
    }
    for (auto& thread : threads)
      thread.join();
    CHECK(failures == 0);
  });
}

TEST_CASE("the inventory names every cipher with a measured cost") {
  const auto inventory = cipher_inventory();
  REQUIRE(inventory.size() == all_ciphers.size());
  for (const CipherInfo& info : inventory) {
    CHECK_FALSE(info.implementation.empty());
    CHECK(info.nanoseconds_per_1400 > 1);
    CHECK(cipher_from_name(cipher_name(info.cipher)) == info.cipher);
  }
  CHECK_FALSE(cipher_from_name("rot13").has_value());
}

}  // namespace
}  // namespace weft
