/// Frames from a TAP that tell of multicast groups.
#include "input.h"
#include "packet/messages/group_report.h"
#include "packet/messages/loop_probe.h"

using weft::fuzz::Input;
using weft::fuzz::require;

namespace {

struct Counting final : weft::GroupReportSink {
  std::size_t groups = 0;
  void wanted(const weft::IpAddress&) noexcept override { ++groups; }
  void left(const weft::IpAddress&) noexcept override { ++groups; }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto frame = Input(data, size).rest();
  if (frame.size() < weft::ethernet_header_size) return 0;
  const weft::Layers layers = weft::parse_frame(frame);
  Counting counting;
  weft::read_group_reports(frame, layers, counting);
  // Each group takes its bytes.
  require(counting.groups * 8 <= frame.size());
  if (weft::group_message(frame, layers).kind == weft::GroupMessage::none) require(counting.groups == 0);
  const auto group = weft::reported_group(frame, layers);
  require(!group || weft::is_reported(*group));
  (void)weft::decode_loop_probe(frame);
  return 0;
}
