/// Intel's IPsec-MB library, where it is installed: https://github.com/intel/intel-ipsec-mb
#pragma once

#if defined(WEFT_IPSEC_MB)
#include <intel-ipsec-mb.h>

namespace weft {

/// Returns the manager of this thread, which is created on first use (0.2 MB, 1 ms), or null if the library
/// does not work on this CPU. A manager holds job slots, so threads must not share one.
IMB_MGR* ipsec_mb() noexcept;

}  // namespace weft
#endif
