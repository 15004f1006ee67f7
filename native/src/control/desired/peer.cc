#include "control/desired/peer.h"

#include <algorithm>

namespace weft {

Peer::Peer(PeerServices& services, PeerId id, PeerSlot slot, std::size_t threads, unsigned ports,
           std::uint32_t first_probe_id)
    : services_(services),
      id_(id),
      slot_(slot),
      threads_(threads),
      traffic_(std::make_unique<PeerTraffic[]>(threads)),
      path_(*this, first_probe_id, ports) {}

std::shared_ptr<Session> Peer::add_session(std::shared_ptr<Session> session) {
  std::shared_ptr<Session> gone;
  if (sessions_.size() == max_keys) {
    const Session* in_use = sealing_session();
    const auto oldest = sessions_.front().get() == in_use ? sessions_.begin() + 1 : sessions_.begin();
    gone = *oldest;
    sessions_.erase(oldest);
  }
  sessions_.push_back(std::move(session));
  return gone;
}

std::shared_ptr<Session> Peer::remove_session(std::uint32_t local_index) {
  const auto at = std::find_if(sessions_.begin(), sessions_.end(),
                               [&](const auto& session) { return session->opening.index() == local_index; });
  if (at == sessions_.end()) return nullptr;
  std::shared_ptr<Session> gone = *at;
  sessions_.erase(at);
  return gone;
}

bool Peer::expire_sessions(Micros now) {
  const auto newest_used = std::find_if(sessions_.rbegin(), sessions_.rend(), [](const auto& session) {
    return session->used.load(std::memory_order_relaxed);
  });
  if (newest_used != sessions_.rend())
    for (auto older = newest_used + 1; older != sessions_.rend(); ++older)
      if (!(*older)->replaced) (*older)->replaced = now;
  return std::erase_if(sessions_, [now](const auto& session) {
           return now - session->created >= key_life ||
                  (session->replaced && now - *session->replaced >= replaced_life);
         }) > 0;
}

Session* Peer::sealing_session() const noexcept {
  const auto at = std::find_if(sessions_.rbegin(), sessions_.rend(), [](const auto& session) {
    return session->installed &&
           (session->role == Role::initiator || session->used.load(std::memory_order_relaxed));
  });
  return at == sessions_.rend() ? nullptr : at->get();
}

Session* Peer::probing_session() const noexcept {
  Session* sealing = sealing_session();
  if (sealing != nullptr || sessions_.empty()) return sealing;
  return sessions_.back().get();
}

std::uint64_t Peer::sent_packets() const noexcept {
  std::uint64_t sent = 0;
  // The last row counts the control thread's own probes, which are not traffic.
  for (const PeerTraffic& row : traffic().first(threads_ - 1))
    sent += row.sent_packets.load(std::memory_order_relaxed) - row.replies.load(std::memory_order_relaxed);
  return sent;
}

}  // namespace weft
