#include "aead/ipsec_mb.h"

#if defined(WEFT_IPSEC_MB)
#include <memory>

namespace weft {
namespace {

struct FreeManager {
  void operator()(IMB_MGR* manager) const noexcept { free_mb_mgr(manager); }
};

std::unique_ptr<IMB_MGR, FreeManager> make_manager() noexcept {
  std::unique_ptr<IMB_MGR, FreeManager> manager(alloc_mb_mgr(0));
  if (manager == nullptr) return nullptr;
  init_mb_mgr_auto(manager.get(), nullptr);
  const bool usable = imb_get_errno(manager.get()) == 0 && (manager->features & IMB_FEATURE_AESNI) != 0;
  return usable ? std::move(manager) : nullptr;
}

}  // namespace

IMB_MGR* ipsec_mb() noexcept {
  thread_local const auto manager = make_manager();
  return manager.get();
}

}  // namespace weft
#endif
