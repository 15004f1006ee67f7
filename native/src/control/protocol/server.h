/// The control socket: clients send JSON objects, one on each line, and receive answers and events.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "control/protocol/fields.h"
#include "io/epoll.h"

namespace weft {

/// Carries out requests.
class RequestHandler {
 public:
  virtual ~RequestHandler() = default;
  /// Returns the `ok` of the answer, or throws RequestError for its `error`. `fds` came with the request;
  /// those that are not moved out are closed.
  virtual Json handle_request(const std::string& op, const Json& request, std::vector<Fd>& fds) = 0;
};

class ControlServer {
 public:
  static constexpr std::size_t max_line = 1 << 20;
  static constexpr std::size_t max_clients = 64;
  /// Maximum number of bytes queued for a client. A client that does not read its events is disconnected
  /// beyond that.
  static constexpr std::size_t max_backlog = 8 << 20;

  /// Listens on `path`. Throws Failure.
  ControlServer(const std::string& path, Epoll& epoll, RequestHandler& handler);
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  /// Handles a ready descriptor if `tag` belongs to this server; returns false otherwise.
  bool on_ready(std::uint64_t tag, std::uint32_t events);
  /// Sends an event to every client that subscribed.
  void broadcast(const Json& event);
  /// Writes as much of the queued answers and events as the sockets take.
  void flush();

 private:
  struct Client {
    Fd fd;
    std::string input;
    std::string output;
    std::vector<Fd> passed;
    bool subscribed = false;
    bool skipping = false;  // the rest of a line that is too long is being discarded
    bool writing = false;   // epoll reports when the socket takes more
    bool dead = false;
  };

  void accept_clients();
  void read_from(Client& client);
  void take_lines(Client& client);
  void answer(Client& client, std::string_view line);
  static void put(Client& client, const Json& message);
  void write_to(std::uint64_t tag, Client& client);

  Epoll& epoll_;
  RequestHandler& handler_;
  Fd listener_;
  std::map<std::uint64_t, Client> clients_;
  std::uint64_t next_tag_;
};

}  // namespace weft
