#include "control/protocol/server.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "io/unix_socket.h"

namespace weft {
namespace {

// The tags of clients follow the listener's. Smaller tags belong to the forwarder.
constexpr std::uint64_t listener_tag = std::uint64_t{1} << 32;

Json error_object(const std::string& code, const std::string& message) {
  return {{"code", code}, {"message", message}};
}

}  // namespace

ControlServer::ControlServer(const std::string& path, Epoll& epoll, RequestHandler& handler)
    : epoll_(epoll), handler_(handler), listener_(listen_unix(path)), next_tag_(listener_tag + 1) {
  epoll_.add(listener_.get(), EPOLLIN, listener_tag);
}

bool ControlServer::on_ready(std::uint64_t tag, std::uint32_t events) {
  if (tag < listener_tag) return false;
  if (tag == listener_tag) {
    accept_clients();
    return true;
  }
  const auto at = clients_.find(tag);
  if (at == clients_.end()) return true;
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) read_from(at->second);
  return true;
}

void ControlServer::accept_clients() {
  for (;;) {
    Fd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd) return;
    if (clients_.size() == max_clients) continue;
    epoll_.add(fd.get(), EPOLLIN, next_tag_);
    clients_[next_tag_++].fd = std::move(fd);
  }
}

void ControlServer::read_from(Client& client) {
  std::array<std::byte, 65536> buffer;
  const ssize_t size = receive_with_fds(client.fd.get(), buffer, client.passed);
  if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR)) {
    client.dead = true;
    return;
  }
  if (size < 0) return;
  client.input.append(reinterpret_cast<const char*>(buffer.data()), static_cast<std::size_t>(size));
  take_lines(client);
}

void ControlServer::take_lines(Client& client) {
  std::size_t start = 0;
  for (auto end = client.input.find('\n'); end != std::string::npos; end = client.input.find('\n', start)) {
    const std::string_view line = std::string_view(client.input).substr(start, end - start);
    start = end + 1;
    if (client.skipping) {
      client.skipping = false;
    } else if (line.size() > max_line) {
      put(client, {{"id", nullptr}, {"error", error_object("bad-request", "a line has at most 1 MiB")}});
    } else if (!line.empty()) {
      answer(client, line);
    }
  }
  client.input.erase(0, start);
  if (client.input.size() <= max_line) return;
  if (!client.skipping)
    put(client, {{"id", nullptr}, {"error", error_object("bad-request", "a line has at most 1 MiB")}});
  client.skipping = true;
  client.input.clear();
}

void ControlServer::answer(Client& client, std::string_view line) {
  // Descriptors belong to the line that they came with. Those that its handler does not take are closed.
  std::vector<Fd> fds = std::move(client.passed);
  client.passed.clear();
  const Json request = Json::parse(line, nullptr, false);
  Json reply = {{"id", nullptr}};
  try {
    if (!request.is_object()) throw RequestError("bad-request", "a line must be a JSON object");
    if (const auto id = request.find("id"); id != request.end() && id->is_number()) reply["id"] = *id;
    if (reply["id"].is_null()) throw RequestError("bad-request", "field 'id' must be a number");
    const std::string& op = Fields(request).text("op");
    if (op == "subscribe") {
      client.subscribed = true;
      reply["ok"] = Json::object();
    } else {
      reply["ok"] = handler_.handle_request(op, request, fds);
    }
  } catch (const RequestError& error) {
    reply["error"] = error_object(error.code(), error.what());
  } catch (const std::exception& error) {
    reply["error"] = error_object("failed", error.what());
  }
  put(client, reply);
}

void ControlServer::put(Client& client, const Json& message) {
  if (client.output.size() > max_backlog) client.dead = true;
  if (client.dead) return;
  // Text from outside the process may not be valid UTF-8, which is replaced rather than refused.
  client.output += message.dump(-1, ' ', false, Json::error_handler_t::replace);
  client.output += '\n';
}

void ControlServer::broadcast(const Json& event) {
  for (auto& [tag, client] : clients_)
    if (client.subscribed) put(client, event);
}

void ControlServer::flush() {
  for (auto& [tag, client] : clients_)
    write_to(tag, client);
  std::erase_if(clients_, [](const auto& entry) { return entry.second.dead; });
}

void ControlServer::write_to(std::uint64_t tag, Client& client) {
  while (!client.output.empty() && !client.dead) {
    const ssize_t size =
        ::send(client.fd.get(), client.output.data(), client.output.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (size < 0 && errno == EAGAIN) break;
    if (size < 0 && errno != EINTR) client.dead = true;
    if (size > 0) client.output.erase(0, static_cast<std::size_t>(size));
  }
  const bool wants_room = !client.output.empty();
  if (client.dead || wants_room == client.writing) return;
  client.writing = wants_room;
  epoll_.modify(client.fd.get(), wants_room ? EPOLLIN | EPOLLOUT : EPOLLIN, tag);
}

}  // namespace weft
