#include "cni/router.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <thread>

#include "base/fd.h"
#include "cni/cni_error.h"
#include "cni/deadline.h"
#include "cni/reading.h"

namespace weft::cni {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

constexpr milliseconds retry{100};
constexpr std::size_t max_answer = 4 << 20;
constexpr int ok = 200;

/// A connection, or one that is not open when nobody listens.
Fd connect_once(const std::string& path) {
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  if (path.size() >= sizeof address.sun_path)
    throw CniError(Code::invalid_configuration, "the path of the router's socket is too long", path);
  std::memcpy(address.sun_path, path.data(), path.size());
  Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
    return socket;
  if (errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR) return {};
  throw CniError(Code::io_failure, "the router at " + path + " cannot be reached", std::strerror(errno));
}

Fd connect_to(const std::string& path, milliseconds patience) {
  const Deadline deadline(patience);
  for (;;) {
    Fd socket = connect_once(path);
    if (socket) return socket;
    if (deadline.left() == 0)
      throw RouterAbsent("the weft router is not running: nothing answers at " + path);
    std::this_thread::sleep_for(retry);
  }
}

void send_all(int socket, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(socket, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) throw RouterAbsent(std::string("the weft router broke off: ") + std::strerror(errno));
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
}

/// Since HTTP/1.0 an answer may end with its connection: nothing else says how long it is.
std::string post(const std::string& path, const std::string& body) {
  return "POST " + path + " HTTP/1.0\r\nHost: weft\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

struct Answer {
  int status;
  json body;
};

Answer parse_answer(const std::string& text) {
  constexpr std::string_view protocol = "HTTP/1.x ";
  const std::size_t end = text.find("\r\n\r\n");
  if (end == std::string::npos || text.size() < protocol.size() + 3)
    throw RouterAbsent("the weft router ended before it answered");
  try {
    return {std::stoi(text.substr(protocol.size(), 3)), json::parse(text.substr(end + 4))};
  } catch (const std::exception& error) {
    throw CniError(Code::internal, "the router's answer cannot be read", error.what());
  }
}

[[noreturn]] void refused(const json& body) {
  const std::string code = body.value("code", "");
  throw CniError(code == "bad-request" ? Code::invalid_configuration : Code::internal,
                 body.value("message", "the router refused the request"), code);
}

}  // namespace

json ask_router(const std::string& run_directory, const std::string& path, const json& request,
                Patience patience) {
  const Fd socket = connect_to(run_directory + "/weft.sock", patience.to_connect);
  const timeval limit{.tv_sec = std::chrono::duration_cast<std::chrono::seconds>(patience.to_answer).count(),
                      .tv_usec = 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  send_all(socket.get(), post(path, request.dump()));
  std::string text;
  try {
    text = read_all(socket.get(), max_answer, Deadline(patience.to_answer), "the router's answer");
  } catch (const CniError& error) {
    throw RouterAbsent(error.what());
  }
  const Answer answer = parse_answer(text);
  if (answer.status != ok) refused(answer.body);
  return answer.body;
}

}  // namespace weft::cni
