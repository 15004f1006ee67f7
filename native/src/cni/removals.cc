#include "cni/removals.h"

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <system_error>

#include "cni/cni_error.h"

namespace weft::cni {
namespace {

namespace fs = std::filesystem;

/// The router reads no more at a time.
constexpr std::ptrdiff_t max_notes = 4096;

/// FNV-1a: the same interface has the same file, however often it is removed.
std::string file_name(const std::string& text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text)
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  std::ostringstream name;
  name << std::hex << hash;
  return name.str();
}

}  // namespace

void note_removal(const Call& call) {
  try {
    ::umask(077);
    const fs::path directory = fs::path(call.run_directory()) / "cni-removals";
    fs::create_directories(directory);
    const std::string name = file_name(call.name() + ' ' + call.container_id + ' ' + call.ifname);
    const fs::path note = directory / (name + ".json");
    const auto known = std::distance(fs::directory_iterator(directory), fs::directory_iterator());
    if (known >= max_notes && !fs::exists(note))
      throw CniError(Code::try_again_later, "too many removals wait for the router", directory.string());
    const fs::path draft = directory / (name + ".new");
    std::ofstream file(draft, std::ios::trunc);
    file << nlohmann::json{
        {"network", call.name()}, {"container", call.container_id}, {"interface", call.ifname}};
    file.close();
    if (!file) throw CniError(Code::io_failure, "a removal cannot be noted", draft.string());
    fs::rename(draft, note);
  } catch (const fs::filesystem_error& error) {
    throw CniError(Code::io_failure, "a removal cannot be noted", error.what());
  }
}

}  // namespace weft::cni
