// Constructors, reference counts, and what a store says of itself.
#include <vector>

#include "capi/guard.h"
#include "capi/inner.h"
#include "capi/options.h"
#include "chain/chain.h"
#include "managers/lru/lru.h"
#include "managers/write_behind/write_behind.h"
#include "stores/filesystem/filesystem_store.h"
#ifdef CHAINSTORE_WITH_LEVELDB
#include "stores/leveldb/leveldb_store.h"
#endif
#ifdef CHAINSTORE_WITH_LMDB
#include "stores/lmdb/lmdb_store.h"
#endif
#include "stores/memory/memory_store.h"
#ifdef CHAINSTORE_WITH_S3
#include "stores/s3/s3_store.h"
#endif

namespace chainstore {
namespace {

using NewStore = Result<Ref<Store>>;

// Symbols do not depend on the build: what was left out says so.
[[maybe_unused]] NewStore LeftOut(const char* store) {
  return Failure(Code::kUnsupported, "this build of the library has no such store").Store(store);
}

// A text argument that must be there, or what is wrong.
[[maybe_unused]] Status CheckText(const char* store, const char* text, const char* what) {
  if (text && *text) return Status();
  return Failure(Code::kInvalid, std::string(what) + (text ? " is empty" : " is NULL"))
      .Store(store);
}

NewStore NewFilesystem(const char* directory, const cs_options* options) {
  if (Status wrong = CheckText("filesystem", directory, "the directory"); !wrong.ok()) return wrong;
  return NewFilesystemStore(directory, OptionsOf(options));
}

NewStore NewLmdb(const char* path, const char* bucket, const cs_options* options) {
  if (Status wrong = CheckText("lmdb", path, "the path"); !wrong.ok()) return wrong;
#ifdef CHAINSTORE_WITH_LMDB
  return NewLmdbStore(path, bucket, OptionsOf(options));
#else
  (void)bucket, (void)options;
  return LeftOut("lmdb");
#endif
}

NewStore NewLevelDb(const char* directory, const cs_options* options) {
  if (Status wrong = CheckText("leveldb", directory, "the directory"); !wrong.ok()) return wrong;
#ifdef CHAINSTORE_WITH_LEVELDB
  return NewLevelDbStore(directory, OptionsOf(options));
#else
  (void)options;
  return LeftOut("leveldb");
#endif
}

NewStore NewS3(const char* bucket, const cs_options* options) {
  if (Status wrong = CheckText("s3", bucket, "the bucket"); !wrong.ok()) return wrong;
#ifdef CHAINSTORE_WITH_S3
  return NewS3Store(bucket, OptionsOf(options), options ? ProviderOf(options->s3_keys) : nullptr);
#else
  (void)options;
  return LeftOut("s3");
#endif
}

NewStore NewChainOf(cs_store* const* stores, size_t count, const cs_options* options) {
  if (!stores || count == 0) {
    return Failure(Code::kInvalid, "a chain has at least one store").Store("chain");
  }
  constexpr size_t kMaxStores = 32;
  if (count > kMaxStores) {
    return Failure(Code::kInvalid, "a chain has at most 32 stores").Store("chain");
  }
  std::vector<Ref<Store>> links;
  for (size_t at = 0; at < count; ++at) {
    if (Status wrong = CheckInner("chain", stores[at]); !wrong.ok()) return wrong;
    links.emplace_back(Unwrap(stores[at]));
  }
  return NewChain(std::move(links), OptionsOf(options));
}

NewStore NewLruOf(cs_store* inner, uint64_t max_bytes, const cs_options* options) {
  if (Status wrong = CheckInner("lru", inner); !wrong.ok()) return wrong;
  return NewLru(Ref<Store>(Unwrap(inner)), max_bytes, OptionsOf(options));
}

NewStore NewWriteBehindOf(cs_store* inner, const cs_options* options) {
  if (Status wrong = CheckInner("write_behind", inner); !wrong.ok()) return wrong;
  return NewWriteBehind(Ref<Store>(Unwrap(inner)), OptionsOf(options));
}

}  // namespace
}  // namespace chainstore

using chainstore::GuardHandle;
using chainstore::Store;
using chainstore::Unwrap;

extern "C" {

cs_store* cs_memory_new(uint64_t max_bytes, const cs_options* options, cs_error** error) {
  return GuardHandle(
      error, [&] { return chainstore::NewMemoryStore(max_bytes, chainstore::OptionsOf(options)); });
}

cs_store* cs_filesystem_new(const char* directory, const cs_options* options, cs_error** error) {
  return GuardHandle(error, [&] { return chainstore::NewFilesystem(directory, options); });
}

cs_store* cs_lmdb_new(const char* path, const char* bucket, const cs_options* options,
                      cs_error** error) {
  return GuardHandle(error, [&] { return chainstore::NewLmdb(path, bucket, options); });
}

cs_store* cs_leveldb_new(const char* directory, const cs_options* options, cs_error** error) {
  return GuardHandle(error, [&] { return chainstore::NewLevelDb(directory, options); });
}

cs_store* cs_s3_new(const char* bucket, const cs_options* options, cs_error** error) {
  return GuardHandle(error, [&] { return chainstore::NewS3(bucket, options); });
}

cs_store* cs_chain_new(cs_store* const* stores, size_t count, const cs_options* options,
                       cs_error** error) {
  return GuardHandle(error, [&] { return chainstore::NewChainOf(stores, count, options); });
}

cs_store* cs_lru_new(cs_store* inner, uint64_t max_bytes, const cs_options* options,
                     cs_error** error) {
  return GuardHandle(error, [&] { return chainstore::NewLruOf(inner, max_bytes, options); });
}

cs_store* cs_write_behind_new(cs_store* inner, const cs_options* options, cs_error** error) {
  return GuardHandle(error, [&] { return chainstore::NewWriteBehindOf(inner, options); });
}

cs_store* cs_store_ref(cs_store* store) {
  if (store) Unwrap(store)->AddRef();
  return store;
}

void cs_store_unref(cs_store* store) {
  if (store && !Unwrap(store)->runtime().IsForked()) Unwrap(store)->Unref();
}

cs_store* cs_store_inner(cs_store* store, size_t index) {
  if (!store || Unwrap(store)->runtime().IsForked()) return nullptr;
  Store* const inner = Unwrap(store)->inner(index);
  if (inner) inner->AddRef();
  return chainstore::Wrap(inner);
}

uint32_t cs_store_caps(const cs_store* store) {
  // The bits above are the library's own.
  constexpr uint32_t kPublic = (uint32_t{CS_CAP_LOOP} << 1) - 1;
  return store ? Unwrap(store)->caps() & kPublic : 0;
}

cs_status cs_store_set(cs_store* store, const char* name, const char* value, cs_error** error) {
  const auto set = [&]() -> chainstore::Status {
    using chainstore::Code;
    using chainstore::Status;
    if (!store || !name || !value) {
      return chainstore::Invalid(store ? Unwrap(store) : nullptr, "set",
                                 "the store, the option's name or its value is NULL");
    }
    if (Unwrap(store)->runtime().IsForked()) {
      return chainstore::WithError(Code::kForked, nullptr, "set");
    }
    if (Unwrap(store)->closed()) {
      return chainstore::Failure(Code::kClosed, "the store is closed")
          .Store(Unwrap(store)->name())
          .Op("set");
    }
    Status set = Unwrap(store)->Set(name, value);
    if (set.ok()) Unwrap(store)->NoteRecipe({name, value});
    return chainstore::WithError(std::move(set), Unwrap(store), "set");
  };
  chainstore::Status status;
  const cs_status guarded = chainstore::Guard([&] {
    status = set();
    return CS_OK;
  });
  if (guarded != CS_OK) status = chainstore::OutOfMemory();
  chainstore::SetError(error, status);
  return chainstore::ToStatus(status.code());
}

}  // extern "C"
