#include "worker/placement.h"

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

namespace weft {
namespace {

// Half-way to the most that setpriority(2) gives: applications that use all CPUs leave the network enough.
constexpr int nice = -10;

const std::string program_name = "weft-forwarder";

std::string lane_name(unsigned lane) {
  return "weft-lane-" + std::to_string(lane);
}

std::vector<unsigned> cpus_of(const cpu_set_t& set) {
  std::vector<unsigned> cpus;
  for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  return cpus;
}

std::vector<unsigned> allowed_cpus(pid_t thread) {
  cpu_set_t allowed;
  if (::sched_getaffinity(thread, sizeof allowed, &allowed) != 0) return {};
  return cpus_of(allowed);
}

// What is in a directory of /proc that is named by a number; processes come and go meanwhile.
std::vector<pid_t> numbered(const std::filesystem::path& directory) {
  std::vector<pid_t> found;
  std::error_code gone;
  for (std::filesystem::directory_iterator at(directory, gone), end; !gone && at != end; at.increment(gone)) {
    const std::string name = at->path().filename();
    if (name.find_first_not_of("0123456789") == std::string::npos) found.push_back(std::stoi(name));
  }
  return found;
}

std::string name_in(const std::filesystem::path& directory) {
  std::string name;
  std::getline(std::ifstream(directory / "comm"), name);
  return name;
}

// The CPU of the first worker of that process, if it is another forwarder whose workers are placed.
std::optional<unsigned> first_cpu_of(pid_t process) {
  const auto directory = std::filesystem::path("/proc") / std::to_string(process);
  if (process == ::getpid() || name_in(directory) != program_name) return std::nullopt;
  for (const pid_t thread : numbered(directory / "task")) {
    if (name_in(directory / "task" / std::to_string(thread)) != lane_name(0)) continue;
    const auto cpus = allowed_cpus(thread);
    if (cpus.size() == 1) return cpus.front();
  }
  return std::nullopt;
}

}  // namespace

void take_precedence() noexcept {
  ::setpriority(PRIO_PROCESS, 0, nice);
}

Placement Placement::survey(unsigned workers) {
  Placement placement;
  placement.cpus_ = allowed_cpus(0);
  auto& cpus = placement.cpus_;
  if (cpus.size() != workers) {
    cpus.clear();
    return placement;
  }
  std::vector<unsigned> taken;
  for (const pid_t process : numbered("/proc"))
    if (const auto cpu = first_cpu_of(process)) taken.push_back(*cpu);
  const auto users = [&](unsigned cpu) { return std::count(taken.begin(), taken.end(), cpu); };
  const auto first = std::min_element(cpus.begin(), cpus.end(),
                                      [&](unsigned a, unsigned b) { return users(a) < users(b); });
  std::rotate(cpus.begin(), first, cpus.end());
  return placement;
}

void Placement::place(unsigned lane) const noexcept {
  ::pthread_setname_np(::pthread_self(), lane_name(lane).c_str());
  if (lane >= cpus_.size()) return;
  cpu_set_t own;
  CPU_ZERO(&own);
  CPU_SET(cpus_[lane], &own);
  ::sched_setaffinity(0, sizeof own, &own);
}

}  // namespace weft
