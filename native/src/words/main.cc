/// weft-words KIND BEGIN [RUN_DIRECTORY]: prints what the router knows of a kind (peers, containers,
/// networks, names, targets, policies) and begins so, one a line, for the completion of a shell. It says
/// nothing where it cannot: no router, no right to ask it, no answer in time. Words come from other hosts:
/// what a shell could take for anything but a word is not printed.
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/fd.h"

namespace {

using Clock = std::chrono::steady_clock;

/// Whoever presses TAB is not to wait longer.
constexpr std::chrono::milliseconds patience{150};
constexpr std::size_t max_answer = 256 << 10;
constexpr std::size_t max_word = 255;

bool is_letter_or_digit(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
         (letter >= '0' && letter <= '9');
}

/// What no shell treats specially, wherever it stands: no option, no pattern, no quote, nothing to be
/// expanded.
bool is_harmless(std::string_view word) {
  if (word.empty() || word.size() > max_word || !(is_letter_or_digit(word[0]) || word[0] == '/'))
    return false;
  for (const char letter : word)
    if (!is_letter_or_digit(letter) && std::string_view("._-:/@+,").find(letter) == std::string_view::npos)
      return false;
  return true;
}

std::string percent_encoded(std::string_view text) {
  std::string encoded;
  std::array<char, 4> code{};
  for (const char letter : text) {
    std::snprintf(code.data(), code.size(), "%%%02X", static_cast<unsigned char>(letter));
    encoded += code.data();
  }
  return encoded;
}

/// False when it took too long.
bool wait_for(int socket, short what, Clock::time_point until) {
  pollfd waiting{.fd = socket, .events = what, .revents = 0};
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
    const int ready = ::poll(&waiting, 1, left.count() > 0 ? static_cast<int>(left.count()) : 0);
    if (ready >= 0 || errno != EINTR) return ready > 0;
  }
}

std::optional<weft::Fd> connected(const std::string& path) {
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  if (path.size() >= sizeof address.sun_path) return std::nullopt;
  std::memcpy(address.sun_path, path.data(), path.size());
  weft::Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return std::nullopt;
  return socket;
}

/// All of it, or nothing.
std::optional<std::string> answer_to(const std::string& request, int socket, Clock::time_point until) {
  if (::send(socket, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size()))
    return std::nullopt;
  std::string answer;
  std::array<char, 16 << 10> piece{};
  while (answer.size() <= max_answer && wait_for(socket, POLLIN, until)) {
    const ssize_t got = ::recv(socket, piece.data(), piece.size(), 0);
    if (got == 0) return answer;
    if (got > 0)
      answer.append(piece.data(), static_cast<std::size_t>(got));
    else if (errno != EINTR && errno != EAGAIN)
      return std::nullopt;
  }
  return std::nullopt;
}

void print_harmless_lines(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    if (is_harmless(line)) std::printf("%.*s\n", static_cast<int>(line.size()), line.data());
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
}

std::string run_directory(std::span<char*> arguments) {
  if (arguments.size() > 3 && *arguments[3] != '\0') return arguments[3];
  const char* chosen = std::getenv("WEFT_RUN_DIR");
  return chosen != nullptr && *chosen != '\0' ? chosen : "/run/weft";
}

}  // namespace

int main(int argc, char** argv) {
  const std::span arguments(argv, static_cast<std::size_t>(argc));
  if (arguments.size() < 3) {
    std::fputs("usage: weft-words KIND BEGIN [RUN_DIRECTORY]\n", stderr);
    return 2;
  }
  const auto until = Clock::now() + patience;
  const auto socket = connected(run_directory(arguments) + "/weft.sock");
  if (!socket) return 0;
  // Since HTTP/1.0 an answer may end with its connection: nothing else says how long it is.
  const std::string request = "GET /words/" + percent_encoded(arguments[1]) +
                              "?begin=" + percent_encoded(arguments[2]) + " HTTP/1.0\r\nHost: weft\r\n\r\n";
  const auto answer = answer_to(request, socket->get(), until);
  if (!answer || answer->compare(0, 13, "HTTP/1.1 200 ") != 0) return 0;
  const std::size_t head = answer->find("\r\n\r\n");
  if (head != std::string::npos) print_harmless_lines(std::string_view(*answer).substr(head + 4));
  return 0;
}
