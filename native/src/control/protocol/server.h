/// The control socket: clients that send JSON objects, one a line, and get answers and events.
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
  /// Returns what goes into `ok`; throws RequestError for `error`. `fds` came with the request; what is not
  /// moved out is closed.
  virtual Json handle_request(const std::string& op, const Json& request, std::vector<Fd>& fds) = 0;
};

class ControlServer {
 public:
  static constexpr std::size_t max_line = 1 << 20;
  static constexpr std::size_t max_clients = 64;
  /// A client that does not read its events is cut off when so many bytes wait for it.
  static constexpr std::size_t max_backlog = 8 << 20;

  /// Listens on `path`. Throws Failure.
  ControlServer(std::string path, Epoll& epoll, RequestHandler& handler);
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  /// True if `tag` belongs to this server; then handles what epoll says.
  bool on_ready(std::uint64_t tag, std::uint32_t events);
  /// To every client that subscribed.
  void broadcast(const Json& event);
  /// Writes what can be written; answers are held until then.
  void flush();

 private:
  struct Client {
    Fd fd;
    std::string input;
    std::string output;
    std::vector<Fd> passed;
    bool subscribed = false;
    bool skipping = false;  // the rest of a line that was too long
    bool writing = false;   // epoll watches for room
    bool dead = false;
  };

  void accept_clients();
  void read_from(Client& client);
  void take_lines(Client& client);
  void answer(Client& client, std::string_view line);
  static void put(Client& client, const Json& message);
  void write_to(std::uint64_t tag, Client& client);

  std::string path_;
  Epoll& epoll_;
  RequestHandler& handler_;
  Fd listener_;
  std::map<std::uint64_t, Client> clients_;
  std::uint64_t next_tag_;
};

}  // namespace weft
