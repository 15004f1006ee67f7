/// Intel's IPsec-MB library, where there is one: https://github.com/intel/intel-ipsec-mb
#pragma once

#if defined(WEFT_IPSEC_MB)
#include <intel-ipsec-mb.h>

namespace weft {

/// This thread's manager, made at its first use (0.2 MB, 1 ms). Null if the library does not work on this
/// CPU. A manager holds the code for the CPU and the job slots, so it must not be shared.
IMB_MGR* ipsec_mb() noexcept;

}  // namespace weft
#endif
