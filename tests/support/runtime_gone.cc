// When a test program ends, so does the shared runtime: whatever a test let go of is closed, and no
// thread, store or call is left. A test that keeps one fails here; the leak sanitizer sees the
// rest.
#include <gtest/gtest.h>

#include "core/runtime.h"

namespace chainstore {
namespace {

class RuntimeGone final : public testing::Environment {
 public:
  void TearDown() override {
    EXPECT_TRUE(RuntimeSlot::Default().WaitGone(Clock::System().DeadlineAfterMs(60'000)));
  }
};

[[maybe_unused]] const auto* const environment = testing::AddGlobalTestEnvironment(new RuntimeGone);

}  // namespace
}  // namespace chainstore
