/// One key.set: both directions of a key that we share with a peer, and its hop keys.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "aead/aead.h"
#include "base/clock.h"
#include "packet/address/subnet.h"
#include "session/key.h"
#include "wire/header.h"

namespace weft {

enum class Role : std::uint8_t { initiator, responder };

/// The subnets in which each end does without encryption, as they were told when the key was agreed. None:
/// nowhere.
struct Trust {
  Subnets ours;
  Subnets theirs;
};

/// Shared by all workers and the control thread; everything in it is safe for that.
struct Session {
  Session(PeerId peer_id, std::uint16_t peer_slot, Role session_role, Cipher session_cipher,
          std::uint32_t local_index, std::uint32_t remote_index, std::unique_ptr<const Aead> open_aead,
          std::unique_ptr<const Aead> seal_aead, HopKey hop_open_key, HopKey hop_seal_key, Trust trusted,
          Micros now)
      : peer(peer_id),
        slot(peer_slot),
        role(session_role),
        cipher(session_cipher),
        created(now),
        trust(std::move(trusted)),
        hop_open(std::move(hop_open_key)),
        hop_seal(std::move(hop_seal_key)),
        opening(local_index, std::move(open_aead)),
        sealing(remote_index, std::move(seal_aead)) {}
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  const PeerId peer;
  const std::uint16_t slot;
  const Role role;
  const Cipher cipher;
  /// A packet was opened with it: the peer has the key and uses it.
  std::atomic<bool> used{false};
  /// All workers can open with it. The control thread's alone.
  bool installed = false;
  /// Since when a newer one is used. The control thread's alone.
  std::optional<Micros> replaced;
  const Micros created;
  const Trust trust;
  const HopKey hop_open;
  const HopKey hop_seal;
  OpeningKey opening;
  SealingKey sealing;
};

}  // namespace weft
