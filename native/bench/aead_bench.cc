/// Prints what sealing and opening cost with every implementation of every cipher: nanoseconds a packet, best
/// of several rounds, buffers in the cache.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <limits>
#include <vector>

#include "aead/aead.h"

namespace {

using Clock = std::chrono::steady_clock;
constexpr int rounds = 15;
constexpr std::size_t packets = 1000;

struct Cost {
  double seal;
  double open;
};

double per_packet(Clock::duration spent) {
  return std::chrono::duration<double, std::nano>(spent).count() / static_cast<double>(packets);
}

Cost measure(const weft::Aead& aead, std::size_t text_size) {
  const std::size_t size = weft::sealed_header_size + text_size + weft::tag_size;
  std::vector<std::byte> sealed(size);
  weft::encode(weft::SealedHeader{.lane = 3, .key_index = 1, .counter = 0}, sealed);
  Cost best{.seal = std::numeric_limits<double>::max(), .open = std::numeric_limits<double>::max()};
  for (int round = 0; round < rounds; ++round) {
    auto start = Clock::now();
    for (std::size_t i = 0; i < packets; ++i)
      aead.seal(sealed);
    best.seal = std::min(best.seal, per_packet(Clock::now() - start));

    // A packet opens once, in place, so it is copied back each time (some 10 ns).
    const std::vector<std::byte> pristine = sealed;
    start = Clock::now();
    bool all = true;
    for (std::size_t i = 0; i < packets; ++i) {
      std::copy(pristine.begin(), pristine.end(), sealed.begin());
      all = aead.open(sealed) && all;
    }
    best.open = std::min(best.open, per_packet(Clock::now() - start));
    if (!all) std::fputs("a packet did not open\n", stderr);
  }
  return best;
}

}  // namespace

int main() {
  if (!weft::aead_init()) {
    std::fputs("a crypto library does not work on this machine\n", stderr);
    return 1;
  }
  std::printf("%-18s %-24s %10s %10s %10s %10s\n", "cipher", "implementation", "seal 1400", "open 1400",
              "seal 64", "open 64");
  for (const weft::Cipher cipher : weft::all_ciphers) {
    const weft::AeadKey key;
    for (const auto& implementation : weft::aead_implementations(cipher)) {
      const auto aead = implementation.make(key, 1);
      const Cost large = measure(*aead, 1400);
      const Cost small = measure(*aead, 64);
      std::printf("%-18s %-24s %10.0f %10.0f %10.0f %10.0f\n", cipher_name(cipher).data(),
                  implementation.name.data(), large.seal, large.open, small.seal, small.open);
    }
  }
  return 0;
}
