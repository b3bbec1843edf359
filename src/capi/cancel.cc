// cs_cancel: the core's token under its public name.
#include <new>

#include "capi/guard.h"

using chainstore::CancelToken;
using chainstore::Unwrap;

extern "C" {

cs_cancel* cs_cancel_new(void) { return chainstore::Wrap(new (std::nothrow) CancelToken); }

cs_cancel* cs_cancel_ref(cs_cancel* cancel) {
  if (cancel) Unwrap(cancel)->AddRef();
  return cancel;
}

void cs_cancel_unref(cs_cancel* cancel) {
  if (cancel) Unwrap(cancel)->Unref();
}

void cs_cancel_fire(cs_cancel* cancel) {
  if (cancel) Unwrap(cancel)->Fire();
}

int cs_cancel_is_fired(const cs_cancel* cancel) {
  return cancel && reinterpret_cast<const CancelToken*>(cancel)->fired() ? 1 : 0;
}

}  // extern "C"
