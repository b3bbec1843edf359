#include "product.h"

namespace bench {
namespace {

// The options as the C ABI takes them; null if there are none.
class OptionsHandle {
 public:
  explicit OptionsHandle(const OptionList& list) {
    if (list.empty()) return;
    const auto make = Symbol<cs_options* (*)()>("cs_options_new");
    const auto set = Symbol<cs_status (*)(cs_options*, const char*, const char*)>("cs_options_set");
    if (!make || !set) Die("this build takes no options");
    options_ = make();
    for (const auto& [name, value] : list) set(options_, name.c_str(), value.c_str());
  }
  ~OptionsHandle() {
    if (options_) Symbol<void (*)(cs_options*)>("cs_options_free")(options_);
  }
  cs_options* get() const { return options_; }

 private:
  cs_options* options_ = nullptr;
};

// Opens through the constructor of that name; what fails for another reason than not being there
// ends the program.
template <class... Args>
Handle Open(const char* constructor, const OptionList& list, Args... args) {
  using Function = cs_store* (*)(Args..., const cs_options*, cs_error**);
  const auto open = Symbol<Function>(constructor);
  if (!open) return Handle();
  const OptionsHandle options(list);
  cs_error* error = nullptr;
  cs_store* store = open(args..., options.get(), &error);
  if (store) return Handle(store);
  const bool absent = cs_error_status(error) == CS_UNSUPPORTED;
  const std::string message = cs_error_message(error);
  cs_error_unref(error);
  if (!absent) Die(message);
  return Handle();
}

}  // namespace

Handle OpenMemory(uint64_t max_bytes) { return Open("cs_memory_new", {}, max_bytes); }

Handle OpenChain(const std::vector<cs_store*>& stores, const OptionList& options) {
  cs_store* const* first = stores.data();
  return Open<cs_store* const*, size_t>("cs_chain_new", options, first, stores.size());
}

Handle OpenLru(cs_store* inner, uint64_t max_bytes, const OptionList& options) {
  return Open("cs_lru_new", options, inner, max_bytes);
}

Handle OpenMetrics(cs_store* inner) {
  return Open<cs_store*, const char*>("cs_metrics_new", {}, inner, "bench");
}

Handle OpenLmdb(const std::string& path, const OptionList& options) {
  return Open<const char*, const char*>("cs_lmdb_new", options, path.c_str(), nullptr);
}

Handle OpenLevelDb(const std::string& path, const OptionList& options) {
  return Open("cs_leveldb_new", options, path.c_str());
}

Handle OpenFilesystem(const std::string& path, const OptionList& options) {
  return Open("cs_filesystem_new", options, path.c_str());
}

Handle OpenS3(const std::string& bucket, const OptionList& options) {
  return Open("cs_s3_new", options, bucket.c_str());
}

FrontedMemory OpenFrontedMemory(uint64_t max_bytes) {
  FrontedMemory out;
  out.memory = OpenMemory(max_bytes);
  if (!out.memory) return out;
  out.chain = OpenChain({out.memory.get()});
  out.what = out.chain ? "chain(memory)" : "memory (no chain in this build)";
  return out;
}

void PutOrDie(cs_store* store, std::string_view key, std::string_view value) {
  const cs_status status =
      cs_put_sync(store, key.data(), key.size(), value.data(), value.size(), nullptr, nullptr);
  if (status != CS_OK) Die(std::string("a put failed: ") + cs_status_name(status));
}

}  // namespace bench
