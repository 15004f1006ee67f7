#include "control/kernel/kernel_paths.h"

#include <sodium.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "packet/messages/kernel_probe.h"
#include "worker/context.h"

namespace weft {
namespace {

constexpr std::size_t buffer_size = ethernet_header_size + 65'535;
// So many frames are taken from one socket before everything else gets its turn.
constexpr unsigned receive_budget = 64;
constexpr Micros never = std::numeric_limits<Micros>::max();

bool is_gone(int error) noexcept {
  return error == ENETDOWN || error == ENXIO || error == ENODEV;
}

Bytes content_of(Bytes packet) noexcept {
  return packet.subspan(sealed_header_size, packet.size() - sealed_header_size - tag_size);
}

}  // namespace

KernelPaths::KernelPaths(Epoll& epoll, std::uint64_t first_tag, unsigned lane, Counters& counters,
                         KernelPathServices& services)
    : epoll_(epoll),
      first_tag_(first_tag),
      lane_(lane),
      counters_(counters),
      services_(services),
      buffer_(std::make_unique_for_overwrite<std::byte[]>(buffer_size)) {}

void KernelPaths::open(std::uint16_t network, std::string name, Fd socket, Micros now) {
  if (const auto former = devices_.find(network); former != devices_.end()) drop(former);
  epoll_.add(socket.get(), EPOLLIN, first_tag_ + network);
  devices_.emplace(network, Device{std::move(name), std::move(socket)});
  for (auto& [key, state] : paths_)
    if (key.first == network) state.path.hasten(now);
  deadline_ = now;
}

// Whoever handed the socket over may still have it, so closing it would not end the watch.
void KernelPaths::drop(Devices::iterator device) {
  epoll_.remove(device->second.socket.get());
  devices_.erase(device);
}

void KernelPaths::close(std::uint16_t network) {
  if (const auto at = devices_.find(network); at != devices_.end()) drop(at);
  std::erase_if(paths_, [network](const auto& entry) { return entry.first.first == network; });
}

bool KernelPaths::set(Key key, const KernelPathSetting& setting, Micros now) {
  const auto at = paths_.find(key);
  if (at != paths_.end() && at->second.setting == setting) return true;
  if (at == paths_.end() && paths_.size() == max_paths) return false;
  deadline_ = now;
  if (at == paths_.end()) {
    paths_.emplace(key, KernelPathState{setting, KernelPath(randombytes_random(), now), {}});
    return true;
  }
  // What was proven was proven of the former setting.
  KernelPathState& state = at->second;
  state.setting = setting;
  if (state.path.fail(now)) services_.kernel_path_changed(key.first, key.second, state.path);
  state.path.hasten(now);
  return true;
}

void KernelPaths::forget(PeerId peer) {
  std::erase_if(paths_, [peer](const auto& entry) { return entry.first.second == peer; });
}

std::string_view KernelPaths::device(std::uint16_t network) const noexcept {
  const auto at = devices_.find(network);
  return at == devices_.end() ? std::string_view() : at->second.name;
}

Micros KernelPaths::poll(Micros now) {
  if (now < deadline_) return deadline_;
  deadline_ = never;
  for (auto& [key, state] : paths_) {
    if (state.path.poll(now)) services_.kernel_path_changed(key.first, key.second, state.path);
    if (!devices_.contains(key.first)) continue;
    if (state.path.due(now)) send_probe(key, state, now);
    deadline_ = std::min(deadline_, state.path.deadline());
  }
  return deadline_;
}

void KernelPaths::send_probe(const Key& key, KernelPathState& state, Micros now) {
  const std::uint32_t number = state.path.probe(randombytes_random(), now);
  Session* const session = services_.sealing_session(key.second);
  state.problem = "no-key";
  if (session == nullptr) return;
  const int error = send(state, {.answer = false, .network = key.first, .number = number}, *session);
  state.problem = error == 0 ? "" : error == EMSGSIZE ? "too-big" : "failed";
  if (error == 0) counters_.add(Counter::kernel_probes_sent);
  if (is_gone(error)) lose(key.first, now);
  if (error == EMSGSIZE && state.path.fail(now))
    services_.kernel_path_changed(key.first, key.second, state.path);
}

// Returns 0 or an errno.
int KernelPaths::send(const KernelPathState& state, const KernelProbe& probe, Session& session) {
  const Bytes frame{buffer_.get(), ethernet_header_size + state.setting.mtu};
  const Bytes packet = frame.subspan(kernel_probe_header_size);
  const Bytes content = content_of(packet);
  encode_kernel_probe(state.setting.mac, state.setting.source, frame);
  std::fill(content.begin(), content.end(), std::byte{0});
  encode(probe, content);
  if (!session.sealing.seal(lane_, packet)) return EOVERFLOW;
  counters_.add(Counter::sealed_packets);
  const int socket = devices_.at(probe.network).socket.get();
  return ::send(socket, frame.data(), frame.size(), MSG_DONTWAIT) < 0 ? errno : 0;
}

void KernelPaths::on_ready(std::uint16_t network, Micros now) {
  for (unsigned i = 0; i < receive_budget; ++i) {
    const auto device = devices_.find(network);
    if (device == devices_.end()) return;
    const ssize_t size = ::recv(device->second.socket.get(), buffer_.get(), buffer_size, MSG_DONTWAIT);
    if (size >= 0) {
      receive(network, {buffer_.get(), static_cast<std::size_t>(size)}, now);
    } else if (errno == EAGAIN) {
      return;
    } else if (errno != EINTR) {
      return lose(network, now);
    }
  }
}

void KernelPaths::receive(std::uint16_t network, Bytes frame, Micros now) {
  if (!is_kernel_probe(frame)) return counters_.add(Counter::dropped_kernel_probe);
  const Bytes packet = frame.subspan(kernel_probe_header_size);
  const auto header = decode_sealed(packet);
  if (!header) return count_drop(counters_, header.error);
  if (header->plain) return counters_.add(Counter::dropped_untrusted);
  Session* const session = services_.opening_session(header->key_index);
  if (session == nullptr) return counters_.add(Counter::dropped_unknown_key);
  const auto at = paths_.find({network, session->peer});
  if (at == paths_.end()) return counters_.add(Counter::dropped_kernel_probe);
  if (!open_packet(at->second, *session, *header, packet, now)) return;
  const auto probe = decode_kernel_probe(content_of(packet));
  // What was sealed for another network, or is no probe of this kind, was brought here by somebody else.
  if (!probe || probe->network != network) return counters_.add(Counter::dropped_kernel_probe);
  take(at->first, at->second, *probe, *session, now);
}

bool KernelPaths::open_packet(KernelPathState& state, Session& session, const SealedHeader& header,
                              Bytes packet, Micros now) {
  if (!state.path.may_open(now)) {
    counters_.add(Counter::dropped_kernel_probe);
    return false;
  }
  const OpenResult result = session.opening.open(header, packet);
  if (!opened(result)) {
    counters_.add(result == OpenResult::replayed ? Counter::dropped_replay : Counter::dropped_bad_tag);
    return false;
  }
  counters_.add(Counter::opened_packets);
  services_.key_used(session);
  return true;
}

void KernelPaths::take(const Key& key, KernelPathState& state, const KernelProbe& probe, Session& session,
                       Micros now) {
  if (probe.answer) {
    counters_.add(Counter::kernel_answers_received);
    if (state.path.answered(probe.number, now))
      services_.kernel_path_changed(key.first, key.second, state.path);
    deadline_ = std::min(deadline_, state.path.deadline());
    return;
  }
  counters_.add(Counter::kernel_probes_received);
  // The peer certainly has the key that its probe came with.
  Session* const newest = services_.sealing_session(key.second);
  const int error = send(state, {.answer = true, .network = key.first, .number = probe.number},
                         newest != nullptr ? *newest : session);
  if (is_gone(error)) lose(key.first, now);
}

// What goes through a device that is down or deleted is lost, whatever was proven a moment ago.
void KernelPaths::lose(std::uint16_t network, Micros now) {
  const auto device = devices_.find(network);
  const std::string name = device->second.name;
  drop(device);
  for (auto& [key, state] : paths_)
    if (key.first == network && state.path.fail(now))
      services_.kernel_path_changed(network, key.second, state.path);
  services_.kernel_path_lost(network, name);
}

}  // namespace weft
