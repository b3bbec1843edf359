// cs_scan: where a scan stands between two pages. It holds its store, and nothing of the engine.
// Thread safety: next and free by one thread at a time; a page that is under way ends on another
// thread. Invariant: at most one page is under way.
#include "capi/completion.h"
#include "capi/guard.h"
#include "capi/waiting.h"
#include "core/below.h"

using chainstore::CancelToken;
using chainstore::MutexLock;
using chainstore::Page;
using chainstore::Range;
using chainstore::Ref;
using chainstore::Store;

struct cs_scan final : chainstore::PageWatcher {
 public:
  cs_scan(Store* store, Range range) : store_(store), range_(std::move(range)) {
    // A key's worth of room: to remember where a page ended never allocates.
    range_.after.reserve(chainstore::kMaxKeySize);
  }

  Store& store() noexcept { return *store_; }
  bool IsForked() const noexcept { return store_->runtime().IsForked(); }
  // The one page at a time. False: it is under way.
  bool BeginPage(Ref<CancelToken> token) CS_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    if (under_way_) return false;
    under_way_ = true;
    token_ = std::move(token);
    return true;
  }
  // What the page that was begun has to read; false: there is nothing more.
  bool Next(Range* range) CS_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    if (!at_end_) *range = range_;
    return !at_end_;
  }
  void Got(const Page& page) noexcept override CS_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    // A page that failed is asked for again by the next call.
    if (page.status.Is(chainstore::Code::kEnd)) at_end_ = true;
    if (!page.status.ok() || page.entries.empty()) return;
    range_.after = page.entries.back().key;
    range_.has_after = true;
    if (!page.more) at_end_ = true;
  }
  void Ended() noexcept override CS_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    under_way_ = false;
  }
  // For the owner who lets go of the scan.
  void Cancel() CS_EXCLUDES(mutex_) {
    Ref<CancelToken> token;
    {
      MutexLock lock(mutex_);
      if (under_way_) token = token_;
    }
    if (token) token->Fire();
  }

 private:
  const Ref<Store> store_;
  chainstore::Mutex mutex_;
  Range range_ CS_GUARDED_BY(mutex_);
  Ref<CancelToken> token_ CS_GUARDED_BY(mutex_);
  bool under_way_ CS_GUARDED_BY(mutex_) = false;
  bool at_end_ CS_GUARDED_BY(mutex_) = false;
};

namespace chainstore {
namespace {

struct ScanOperation {
  using Answer = Page;
  static constexpr Kind kKind = Kind::kOther;
  static constexpr const char* name = "scan";
  Ref<cs_scan> scan;
  Range range;
  bool at_end = false;

  Status Check(const Store&, const CallIn&) {
    at_end = !scan->Next(&range);
    return Status();
  }
  void Accepted() noexcept {}
  void Begin(Store& store, const Call& call, Done<Page> done) noexcept {
    if (store.closed()) {
      return done(Page(Failure(Code::kClosed, "the store is closed").Store(store.name()).Op(name)));
    }
    if (at_end) return done(Page(Code::kEnd));
    Front(store).Run({}, call, [&](const Below& below, const Call& call) {
      below.Scan(range, call, std::move(done));
    });
  }
};

// The same for a thread that waits: no Pending tells the scan about its page.
struct ScanHere : ScanOperation {
  void Begin(Store& store, const Call& call, Done<Page> done) noexcept {
    ScanOperation::Begin(store, call, [this, &done](Page&& page) {
      scan->Got(page);
      done(std::move(page));
    });
  }
};

const char* ReadRange(const cs_range* in, Range* out) {
  cs_range range;
  if (!in) return nullptr;
  if (const char* wrong = ReadSized(*in, &range)) return wrong;
  if ((range.flags & ~uint32_t{CS_SCAN_REVERSE | CS_SCAN_KEYS_ONLY}) != 0) {
    return "range.flags has an unknown flag";
  }
  if (range.reserved != 0) return "range.reserved is not 0";
  if (range.page_size > Range::kMaxPageSize) return "range.page_size is above 65536";
  const struct {
    const void* data;
    size_t size;
    std::string* to;
  } parts[] = {{range.prefix, range.prefix_size, &out->prefix},
               {range.start, range.start_size, &out->start},
               {range.end, range.end_size, &out->end}};
  for (const auto& part : parts) {
    if (const char* wrong = CheckData(part.data, part.size)) return wrong;
    if (part.size > kMaxKeySize) return "a bound of the range is longer than any key";
    part.to->assign(BytesAt(part.data, part.size));
  }
  out->has_end = range.end_size != 0;
  out->reverse = (range.flags & CS_SCAN_REVERSE) != 0;
  out->keys_only = (range.flags & CS_SCAN_KEYS_ONLY) != 0;
  out->page_size = range.page_size;
  return nullptr;
}

Result<Ref<cs_scan>> NewScan(cs_store* handle, const cs_range* in) {
  if (!handle) return Invalid(nullptr, "scan", "the store is NULL");
  Store* const store = Unwrap(handle);
  if (store->runtime().IsForked()) return WithError(Code::kForked, nullptr, "scan");
  Range range;
  if (const char* wrong = ReadRange(in, &range)) return Invalid(store, "scan", wrong);
  if ((store->caps() & kCapScan) == 0) {
    return Failure(Code::kUnsupported, "this store cannot scan").Store(store->name()).Op("scan");
  }
  return Ref<cs_scan>::Adopt(new cs_scan(store, std::move(range)));
}

// Ends a page that was begun and then refused.
class PageGuard {
 public:
  explicit PageGuard(cs_scan* scan) : scan_(scan) {}
  ~PageGuard() {
    if (scan_) scan_->Ended();
  }
  void Dismiss() noexcept { scan_ = nullptr; }

 private:
  cs_scan* scan_;
};

cs_status StartNext(cs_scan* scan, const Pending::Target& target) {
  auto token = MakeRef<CancelToken>();
  if (!scan->BeginPage(token)) return CS_BUSY;
  PageGuard guard(scan);
  ScanOperation op{Ref<cs_scan>(scan), {}, false};
  CallIn in;
  in.call.wait = Wait::kLater;
  Ref<Pending> pending;
  const cs_status refused =
      Pending::Create(Wrap(&scan->store()), op.name, op.kKind, target, &in, &pending);
  if (refused != CS_OK) return refused;
  Status problem = op.Check(scan->store(), in);
  if (problem.ok()) problem = CheckStart(in, op.kKind, scan->store());
  guard.Dismiss();
  pending->Attach(token, Ref<cs_scan>(scan));
  if (!problem.ok()) {
    pending->EndHere(std::move(problem));
    return CS_OK;
  }
  // The store is told by the page's own token, which fires however the call ends early.
  Call stores = in.call;
  stores.cancel = token;
  pending->Run<Page>(in.call,
                     [&](Done<Page> done) { op.Begin(scan->store(), stores, std::move(done)); });
  return CS_OK;
}

}  // namespace
}  // namespace chainstore

extern "C" {

cs_scan* cs_scan_new(cs_store* store, const cs_range* range, cs_error** error) {
  return chainstore::GuardHandle(error, [&] { return chainstore::NewScan(store, range); });
}

cs_status cs_scan_next(cs_scan* scan, const cs_call* call, cs_done done, void* user_data) {
  if (!scan) return CS_INVALID;
  if (scan->IsForked()) return CS_FORKED;
  return chainstore::Guard([&] { return chainstore::StartNext(scan, {call, done, user_data}); });
}

cs_status cs_scan_next_sync(cs_scan* scan, const cs_call* call, cs_result* result) {
  using namespace chainstore;
  if (!result) return CS_INVALID;
  if (!scan) return Out(result, nullptr, "scan").Fill(Invalid(nullptr, "scan", "the scan is NULL"));
  if (!scan->IsForked() && !scan->BeginPage(nullptr)) {
    return Out(result, nullptr, "scan").Fill(WithError(Code::kBusy, &scan->store(), "scan"));
  }
  const cs_status status = RunHere(chainstore::Wrap(&scan->store()),
                                   ScanHere{{Ref<cs_scan>(scan), {}, false}}, call, result);
  scan->Ended();
  return status;
}

void cs_scan_free(cs_scan* scan) {
  if (!scan || scan->IsForked()) return;
  scan->Cancel();
  scan->Unref();
}

}  // extern "C"
