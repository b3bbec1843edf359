// The product through its C ABI. What a build may lack is looked up by name, so that this program
// links with every build and says what is not in it.
#pragma once

#include <chainstore.h>
#include <dlfcn.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness.h"

namespace bench {

// A function of the library, or null.
template <class Function>
Function Symbol(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
}

using OptionList = std::vector<std::pair<std::string, std::string>>;

// A store, closed and let go of when it goes. Null if this build has no such store.
class Handle {
 public:
  Handle() = default;
  explicit Handle(cs_store* store) : store_(store) {}
  Handle(Handle&& other) noexcept : store_(std::exchange(other.store_, nullptr)) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(store_, other.store_);
    return *this;
  }
  ~Handle() {
    if (!store_) return;
    cs_store_close_sync(store_, nullptr, nullptr);
    cs_store_unref(store_);
  }
  explicit operator bool() const { return store_ != nullptr; }
  cs_store* get() const { return store_; }

 private:
  cs_store* store_ = nullptr;
};

Handle OpenMemory(uint64_t max_bytes);
Handle OpenChain(const std::vector<cs_store*>& stores, const OptionList& options = {});
Handle OpenLru(cs_store* inner, uint64_t max_bytes, const OptionList& options = {});
Handle OpenMetrics(cs_store* inner);
Handle OpenLmdb(const std::string& path, const OptionList& options = {});
Handle OpenLevelDb(const std::string& path, const OptionList& options = {});
Handle OpenFilesystem(const std::string& path, const OptionList& options = {});
Handle OpenS3(const std::string& bucket, const OptionList& options);

// chain(memory), or the memory store itself in a build that has no chain; *what says which.
struct FrontedMemory {
  Handle memory, chain;
  std::string what;
  cs_store* get() const { return chain ? chain.get() : memory.get(); }
};
FrontedMemory OpenFrontedMemory(uint64_t max_bytes);

void PutOrDie(cs_store* store, std::string_view key, std::string_view value);

// A get that must hit, its first byte read, and the value let go of: what both sides of a figure
// do.
inline void GetHit(cs_store* store, const char* key, size_t key_size) {
  cs_result result;
  if (cs_get_sync(store, key, key_size, nullptr, &result) != CS_OK) Die("a get missed");
  Keep(*static_cast<const char*>(result.data));
  cs_result_release(&result);
}

}  // namespace bench
