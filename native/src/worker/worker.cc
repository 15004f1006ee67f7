#include "worker/worker.h"

#include <pthread.h>
#include <sys/eventfd.h>

#include <array>
#include <string>
#include <system_error>

#include "base/failure.h"

namespace weft {
namespace {

// An epoll tag identifies the socket, the eventfd that wakes the worker, the stream of a peer, or a queue of
// a TAP.
constexpr std::uint64_t socket_tag = ~std::uint64_t{0};
constexpr std::uint64_t wake_tag = socket_tag - 1;
constexpr unsigned queue_bits = 16;
constexpr std::uint64_t first_stream_tag = std::uint64_t{1} << 32;

constexpr std::uint64_t tap_tag(std::uint16_t network, std::size_t queue) noexcept {
  return std::uint64_t{network} << queue_bits | queue;
}

// Maximum number of reads from one source before the others get their turn.
constexpr unsigned socket_budget = 16;
constexpr unsigned tap_budget = 64;
constexpr std::size_t max_ready = 16;

}  // namespace

Worker::Worker(unsigned number, unsigned workers, UdpSocket socket, const SourcePorts& sources,
               EpochReclaimer& snapshots, MacTable& macs, Switches& switches)
    : number_(number),
      workers_(workers),
      socket_(std::move(socket)),
      snapshots_(snapshots),
      wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      forwarding_events_(events_),
      forwarding_(macs, forwarding_events_),
      context_{number, socket_, sources, switches, counters_, events_, forwarding_},
      send_batch_(context_),
      encap_(context_, send_batch_),
      decap_(context_, send_batch_) {
  if (!wake_) throw Failure::from_errno("cannot make an eventfd");
  epoll_.add(socket_.fd(), EPOLLIN, socket_tag);
  epoll_.add(wake_.get(), EPOLLIN, wake_tag);
}

Worker::~Worker() {
  stop();
}

void Worker::start() {
  try {
    thread_ = std::thread([this] {
      ::pthread_setname_np(::pthread_self(), ("weft-lane-" + std::to_string(number_)).c_str());
      run();
    });
  } catch (const std::system_error& error) {
    throw Failure(std::string("cannot start a worker thread: ") + error.what());
  }
  // The sandbox, which the caller sets up next, may forbid system calls that the libraries make when a thread
  // starts.
  running_.wait(false);
}

void Worker::stop() noexcept {
  if (!thread_.joinable()) return;
  stopping_.store(true, std::memory_order_release);
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
  thread_.join();
}

void Worker::watch(std::uint16_t network, const TapQueues& taps) {
  for (std::size_t i = number_; i < taps.queues.size(); i += workers_)
    epoll_.add(taps.queues[i].fd(), EPOLLIN, tap_tag(network, i));
}

void Worker::watch(Stream& stream, PeerSlot slot) {
  stream.watch(epoll_, first_stream_tag + slot);
}

void Worker::unwatch(const TapQueues& taps) noexcept {
  for (std::size_t i = number_; i < taps.queues.size(); i += workers_)
    epoll_.remove(taps.queues[i].fd());
}

// The thread does not spin before it sleeps: where there are fewer cores than busy threads, spinning takes
// more time from the senders of the next packet than it saves in wake-ups.
void Worker::run() noexcept {
  running_ = true;
  running_.notify_one();
  std::array<epoll_event, max_ready> space{};
  while (!stopping_.load(std::memory_order_acquire)) {
    const auto ready = epoll_.wait(space, -1);
    const Snapshot& snapshot = snapshots_.enter(number_);
    const Micros now = monotonic_now();
    const std::uint32_t storm_limit = context_.switches.storm_limit.load(std::memory_order_relaxed);
    handle({snapshot, now, {*snapshot.endpoints, now, storm_limit, snapshot.self}}, ready);
    snapshots_.leave(number_);
  }
}

void Worker::handle(const PollContext& poll, std::span<const epoll_event> ready) noexcept {
  send_batch_.set_self(poll.snapshot.self);
  for (const epoll_event& event : ready) {
    if (event.data.u64 == wake_tag) continue;
    if (event.data.u64 == socket_tag) {
      decap_.drain(poll, socket_budget);
      continue;
    }
    if (event.data.u64 >= first_stream_tag) {
      handle_stream(poll, event);
      continue;
    }
    const NetworkView* network =
        poll.snapshot.network(static_cast<std::uint16_t>(event.data.u64 >> queue_bits));
    const std::size_t queue = event.data.u64 & ((std::uint64_t{1} << queue_bits) - 1);
    if (network == nullptr || network->taps == nullptr || queue >= network->taps->queues.size()) continue;
    encap_.drain(poll, *network, network->taps->queues[queue], tap_budget);
  }
  send_batch_.flush();
}

void Worker::handle_stream(const PollContext& poll, const epoll_event& event) noexcept {
  const std::uint64_t slot = event.data.u64 - first_stream_tag;
  Stream* const stream = slot < poll.snapshot.peers.size() ? poll.snapshot.peers[slot].stream : nullptr;
  if (stream == nullptr) return;
  if ((event.events & EPOLLOUT) != 0) stream->flush();
  if ((event.events & ~EPOLLOUT) != 0) decap_.drain(poll, *stream);
}

}  // namespace weft
