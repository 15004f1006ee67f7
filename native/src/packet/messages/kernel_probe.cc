#include "packet/messages/kernel_probe.h"

#include <algorithm>

namespace weft {

void encode_kernel_probe(const MacAddress& destination, const MacAddress& source, Bytes frame) noexcept {
  std::byte* at = frame.data();
  std::copy(destination.begin(), destination.end(), at);
  std::copy(source.begin(), source.end(), at + destination.size());
  store16(at + 12, kernel_probe_ethertype);
  store64(at + ethernet_header_size, kernel_probe_magic);
}

bool is_kernel_probe(ConstBytes frame) noexcept {
  return frame.size() >= kernel_probe_header_size && load16(frame.data() + 12) == kernel_probe_ethertype &&
         load64(frame.data() + ethernet_header_size) == kernel_probe_magic;
}

}  // namespace weft
