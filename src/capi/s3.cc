// What only an S3 store can do.
#include <cstring>

#include "capi/guard.h"
#include "capi/operations.h"
#include "capi/waiting.h"
#ifdef CHAINSTORE_WITH_S3
#include "stores/s3/s3_store.h"
#endif

namespace chainstore {
namespace {

Result<Ref<Value>> Presign(cs_store* store, const char* method, const void* key, size_t key_size,
                           uint64_t expires_ms, const cs_call* call) {
  CallIn in;
  in.call.wait = Wait::kHere;
  Status problem = Admit(store, "presign", Kind::kOther, call, &in);
  if (!problem.ok()) return problem;
  if (const char* wrong = CheckKey(key, key_size)) {
    return Invalid(Unwrap(store), "presign", wrong);
  }
  if (!method) return Invalid(Unwrap(store), "presign", "the method is NULL");
#ifdef CHAINSTORE_WITH_S3
  Result<std::string> url =
      PresignS3(*Unwrap(store), method, Key(BytesAt(key, key_size)), expires_ms, in.call);
  if (!url.ok()) return url.status();
  return Value::Copy(*url);
#else
  (void)expires_ms;
  return Failure(Code::kUnsupported, "this build of the library has no S3 store")
      .Store(Unwrap(store)->name())
      .Op("presign");
#endif
}

}  // namespace
}  // namespace chainstore

extern "C" {

cs_value* cs_s3_presign(cs_store* store, const char* method, const void* key, size_t key_size,
                        uint64_t expires_ms, const cs_call* call, cs_error** error) {
  return chainstore::GuardHandle(
      error, [&] { return chainstore::Presign(store, method, key, key_size, expires_ms, call); });
}

}  // extern "C"
