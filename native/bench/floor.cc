/// The least that a tunnel in user space has to do: frames of a TAP go to one peer by UDP and back, cut into
/// sealed pieces. No peer is found, no key is agreed, no frame is looked into; the key is known to everybody.
/// `make bench` compares the forwarder with it.
///
///   floor TAP PEER:PORT QUEUES [--plain]
///
/// A thread for each queue of the TAP, which it makes; both ends have the same port and as many queues.
/// `--plain` copies where it would seal.
#include <sodium.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "aead/aead.h"
#include "base/failure.h"
#include "io/device/tap.h"
#include "io/device/tap_queue.h"
#include "io/endpoint.h"
#include "io/epoll.h"
#include "io/udp_socket.h"
#include "wire/header.h"

namespace weft {
namespace {

constexpr std::size_t piece_size = 1400;
constexpr std::size_t sealed_piece_size = sealed_header_size + piece_size + tag_size;
constexpr std::size_t counter_offset = 8;
constexpr std::size_t pieces_at_once = max_segmented_payload / sealed_piece_size;
/// In front of each superframe is its size, since pieces do not tell where it ends.
constexpr std::size_t prefix_size = sizeof(std::uint32_t);
constexpr std::size_t superframe_room = prefix_size + sizeof(VnetHeader) + max_frame_size;
constexpr std::size_t receive_room = 65'536;
/// A piece's counter is that of its superframe times this, and its place in it.
constexpr std::uint64_t pieces_of_superframe = 64;
static_assert(superframe_room <= pieces_of_superframe * piece_size);
constexpr unsigned max_queues = 16;
/// As the forwarder's workers have them.
constexpr unsigned tap_budget = 64;
constexpr unsigned socket_budget = 16;

/// One queue of the TAP, one socket, one thread.
class Lane {
 public:
  /// `aead` is absent where pieces are only copied.
  Lane(std::uint8_t number, TapQueue tap, UdpSocket socket, const Endpoint& peer, const Aead* aead)
      : number_(number), tap_(std::move(tap)), socket_(std::move(socket)), aead_(aead) {
    to_length_ = peer.to_sockaddr(socket_.family(), to_);
    static_cast<void>(socket_.set_gro(true));
    epoll_.add(tap_.fd(), EPOLLIN, 0);
    epoll_.add(socket_.fd(), EPOLLIN, 0);
  }

  /// Never returns.
  void run() noexcept {
    std::array<epoll_event, 2> events;
    for (;;) {
      epoll_.wait(events, -1);
      for (unsigned i = 0; i < socket_budget && receive(); ++i) {
      }
      for (unsigned i = 0; i < tap_budget && send(); ++i) {
      }
    }
  }

 private:
  /// Sends one superframe. False if the TAP has none.
  bool send() noexcept {
    std::byte* const superframe = outgoing_.get();
    const TapResult read = tap_.read({superframe + prefix_size, superframe_room - prefix_size});
    if (!read) return false;
    const std::size_t size = prefix_size + static_cast<std::size_t>(read.size);
    store32(superframe, static_cast<std::uint32_t>(size));
    counter_ = (counter_ / pieces_of_superframe + 1) * pieces_of_superframe;
    std::size_t used = 0;
    for (std::size_t at = 0; at < size; at += piece_size) {
      if (used == pieces_at_once * sealed_piece_size) {
        transmit(used);
        used = 0;
      }
      const std::size_t length = std::min(piece_size, size - at);
      seal({superframe + at, length}, {sealed_.get() + used, sealed_header_size + length + tag_size});
      used += sealed_header_size + length + tag_size;
    }
    transmit(used);
    return true;
  }

  void seal(ConstBytes piece, Bytes packet) noexcept {
    encode(SealedHeader{.plain = aead_ == nullptr, .lane = number_, .key_index = 1, .counter = counter_++},
           packet);
    if (aead_ != nullptr)
      aead_->seal_from(piece.data(), packet);
    else
      std::memcpy(packet.data() + sealed_header_size, piece.data(), piece.size());
  }

  /// What does not go is lost, as on any network.
  void transmit(std::size_t size) const noexcept {
    static_cast<void>(socket_.send(to_, to_length_, {}, {sealed_.get(), size}, sealed_piece_size));
  }

  /// Takes what one call to the kernel yields. False if nothing is there.
  bool receive() noexcept {
    Received received;
    if (socket_.receive({received_.get(), receive_room}, received) != 0) return false;
    for (std::size_t at = 0; at < received.size; at += received.segment_size)
      take({received_.get() + at, std::min(received.segment_size, received.size - at)});
    return true;
  }

  /// A superframe of which a piece is missing is given up.
  void take(Bytes packet) noexcept {
    if (packet.size() < sealed_header_size + tag_size) return;
    if (aead_ != nullptr && !aead_->open(packet)) return;
    const std::uint64_t counter = load64(packet.data() + counter_offset);
    if (counter % pieces_of_superframe == 0)
      filled_ = 0;
    else if (counter != expected_)
      return;
    expected_ = counter + 1;
    const std::size_t size = packet.size() - sealed_header_size - tag_size;
    const ConstBytes piece = packet.subspan(sealed_header_size, size);
    if (filled_ + piece.size() > superframe_room) return;
    std::memcpy(incoming_.get() + filled_, piece.data(), piece.size());
    filled_ += piece.size();
    if (filled_ == load32(incoming_.get())) deliver();
  }

  void deliver() const noexcept {
    const iovec all{incoming_.get() + prefix_size, filled_ - prefix_size};
    static_cast<void>(tap_.write({&all, 1}));
  }

  std::uint8_t number_;
  TapQueue tap_;
  UdpSocket socket_;
  const Aead* aead_;
  sockaddr_storage to_{};
  socklen_t to_length_ = 0;
  Epoll epoll_;
  std::unique_ptr<std::byte[]> outgoing_ = std::make_unique<std::byte[]>(superframe_room);
  std::unique_ptr<std::byte[]> sealed_ = std::make_unique<std::byte[]>(max_segmented_payload);
  std::unique_ptr<std::byte[]> received_ = std::make_unique<std::byte[]>(receive_room);
  std::unique_ptr<std::byte[]> incoming_ = std::make_unique<std::byte[]>(superframe_room);
  std::uint64_t counter_ = 0;
  std::uint64_t expected_ = 0;
  std::size_t filled_ = 0;
};

void run(const std::string& tap, const Endpoint& peer, unsigned queues, bool plain) {
  if (::sodium_init() < 0 || !aead_init())
    throw Failure("the cryptographic libraries do not work on this machine");
  std::unique_ptr<const Aead> aead;
  if (!plain) aead = make_aead(Cipher::aes_256_gcm, AeadKey{}, 1);
  std::vector<Fd> fds = open_tap(tap, queues);
  if (!set_tap_offloads(fds.front().get(), {.checksum = true, .tso = true}))
    throw Failure("the TAP takes no superframes");
  std::vector<UdpSocket> sockets = bind_udp_group(peer.port(), queues);
  std::vector<std::unique_ptr<Lane>> lanes;
  for (unsigned i = 0; i < queues; ++i)
    lanes.push_back(std::make_unique<Lane>(static_cast<std::uint8_t>(i), TapQueue(std::move(fds[i])),
                                           std::move(sockets[i]), peer, aead.get()));
  std::vector<std::jthread> threads;
  for (const auto& lane : lanes)
    threads.emplace_back([&lane] { lane->run(); });
}

int measure(int argc, char** argv) {
  const std::vector<std::string_view> arguments(argv + 1, argv + argc);
  const bool plain = arguments.size() == 4 && arguments[3] == "--plain";
  const auto peer = arguments.size() >= 3 ? Endpoint::parse(arguments[1]) : std::nullopt;
  unsigned queues = 0;
  if (peer) std::from_chars(arguments[2].begin(), arguments[2].end(), queues);
  if (queues < 1 || queues > max_queues || arguments.size() > (plain ? 4U : 3U)) {
    std::fputs("floor TAP PEER:PORT QUEUES [--plain]\n", stderr);
    return 2;
  }
  try {
    run(std::string(arguments[0]), *peer, queues, plain);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
  }
  return 1;
}

}  // namespace
}  // namespace weft

int main(int argc, char** argv) {
  return weft::measure(argc, argv);
}
