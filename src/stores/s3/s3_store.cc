#include "stores/s3/s3_store.h"

#include <map>
#include <set>

#include "core/await.h"
#include "core/key_slots.h"
#include "stores/s3/parallel.h"
#include "stores/s3/s3_objects.h"
#include "stores/s3/s3_scan.h"

namespace chainstore {
namespace {

using s3::S3Objects;

// A value so large is hashed on a worker, not on the stack of who starts a put: it takes longer
// than to go there.
constexpr size_t kHashedApart = size_t{64} << 10;

class S3Store final : public Store {
 public:
  S3Store(s3::S3Settings settings, Ref<Runtime> runtime)
      : Store(settings.StoreName(), runtime),
        objects_(MakeRef<S3Objects>(std::move(settings), runtime, closing_token())),
        slots_(std::move(runtime)) {}

  uint32_t caps() const noexcept override {
    return kCapOrdered | kCapDurable | kCapScan | kCapRange | kCapRemote |
           (objects_->settings().ttl ? kCapTtl : 0u);
  }
  Limits limits() const noexcept override {
    return {kMaxKeySize, objects_->settings().max_value_size, objects_->settings().ttl};
  }

  void Get(const Key& key, const Read& read, const Call& call, Done<Answer> done) noexcept override;
  void Put(const Key& key, const Payload& payload, const Call& call,
           Done<Receipt> done) noexcept override;
  void Del(const Key& key, const Call& call, Done<Receipt> done) noexcept override;
  void GetMany(Keys keys, const Call& call, Done<Entries> done) noexcept override;
  void Write(Ref<const Batch> batch, const Call& call, Done<Entries> done) noexcept override;
  void Scan(const Range& range, const Call& call, Done<Page> done) noexcept override;
  void Flush(Bytes prefix, const Call& call, Done<Status> done) noexcept override;

  void CollectMetrics(MetricSet* out) const override { objects_->client().CollectMetrics(out); }

  S3Objects& objects() noexcept { return *objects_; }

 protected:
  void CloseSelf(const Call& call, Done<Status> done) noexcept override {
    // Not on the HTTP thread, which this may be: it is joined here.
    runtime().Post(Lane::kSlow,
                   [self = Ref<Store>(this), this, call, done = std::move(done)]() mutable {
                     objects_->client().Stop();
                     done(Status());
                   });
  }

 private:
  // Runs `begin`, which takes a Done<T>, as the call's wait asks.
  template <class T, class Begin>
  void Run(const char* operation, const Call& call, Done<T> done, Begin begin) noexcept;
  // The same in the turn of a key.
  template <class Begin>
  void RunInTurn(const char* operation, const Key& key, const Call& call, Done<Receipt> done,
                 Begin begin) noexcept;

  const Ref<S3Objects> objects_;
  KeySlots slots_;
};

template <class T, class Begin>
void S3Store::Run(const char* operation, const Call& call, Done<T> done, Begin begin) noexcept {
  if (call.wait == Wait::kNever) return done(T(Status(Code::kWouldBlock)));
  GatePass pass(gate());
  if (!pass) return done(T(ClosedStatus(operation)));
  if (const Code ended = call.Check(); ended != Code::kOk) {
    return done(T(EndedStatus(ended, operation)));
  }
  if (call.wait == Wait::kHere) {
    // Without a limit of its own: the HTTP thread keeps the call's, and what the caller lent is
    // in use until it answers.
    auto awaited = MakeRef<Awaited<T>>();
    begin(Done<T>([awaited](T&& answer) { awaited->Set(std::move(answer)); }));
    T answer;
    awaited->Wait(Call(), &answer);
    return done(std::move(answer));
  }
  begin(Done<T>([self = Ref<Store>(this), pass = std::move(pass),
                 done = std::move(done)](T&& answer) mutable {
    // The HTTP thread goes on with its transfers: what may hold it up is done elsewhere.
    if (done.is_brief()) {
      done(std::move(answer));
      pass = GatePass();
      return LetGo(std::move(self));
    }
    Runtime& runtime = self->runtime();
    runtime.Post(Lane::kFast,
                 [self = std::move(self), pass = std::move(pass), done = std::move(done),
                  answer = std::move(answer)]() mutable { done(std::move(answer)); });
  }));
}

template <class Begin>
void S3Store::RunInTurn(const char* operation, const Key& key, const Call& call, Done<Receipt> done,
                        Begin begin) noexcept {
  if (call.wait == Wait::kNever) return done(Receipt(Code::kWouldBlock));
  slots_.Acquire(key, call,
                 [this, self = Ref<Store>(this), operation, owned = OwnedKey(key), call,
                  done = std::move(done), begin = std::move(begin)](Status&& turn) mutable {
                   if (!turn.ok()) return done(Receipt(EndedStatus(turn.code(), operation)));
                   Run<Receipt>(
                       operation, call,
                       [this, self, owned, done = std::move(done)](Receipt&& receipt) mutable {
                         slots_.Release(owned);
                         done(std::move(receipt));
                       },
                       std::move(begin));
                 });
}

void S3Store::Get(const Key& key, const Read& read, const Call& call, Done<Answer> done) noexcept {
  Run<Answer>("get", call, std::move(done), [&](Done<Answer> done) {
    objects_->Get(key.bytes, read, call, "get", std::move(done));
  });
}

void S3Store::Put(const Key& key, const Payload& payload, const Call& call,
                  Done<Receipt> done) noexcept try {
  Payload lent = payload;
  if (call.wait == Wait::kLater) lent = Payload(payload.Share(), payload.expires_at_ms());
  RunInTurn("put", key, call, std::move(done),
            [this, owned = OwnedKey(key), lent, call](Done<Receipt> done) {
              if (call.wait == Wait::kHere || lent.size() < kHashedApart) {
                return objects_->Put(owned.bytes(), lent, call, "put", std::move(done));
              }
              runtime().Post(Lane::kFast, [objects = objects_, owned, lent, call,
                                           done = std::move(done)]() mutable {
                objects->Put(owned.bytes(), lent, call, "put", std::move(done));
              });
            });
} catch (const std::bad_alloc&) {
  done(Receipt(Status(Fail(Code::kNoMemory, "put", "out of memory"))));
}

void S3Store::Del(const Key& key, const Call& call, Done<Receipt> done) noexcept {
  RunInTurn("del", key, call, std::move(done),
            [this, owned = OwnedKey(key), call](Done<Receipt> done) {
              objects_->Del(owned.bytes(), call, "del", std::move(done));
            });
}

void S3Store::Scan(const Range& range, const Call& call, Done<Page> done) noexcept {
  Run<Page>("scan", call, std::move(done), [&](Done<Page> done) {
    MakeRef<s3::S3Scan>(objects_, range, call, std::move(done))->Begin();
  });
}

void S3Store::Flush(Bytes, const Call& call, Done<Status> done) noexcept {
  Run<Status>("flush", call, std::move(done), [](Done<Status> done) { done(Status()); });
}

// ---- Many keys ----

struct Many final : RefCounted<Many> {
  Entries out;
  Done<Entries> done;
};

void S3Store::GetMany(Keys keys, const Call& call, Done<Entries> done) noexcept {
  Run<Entries>("get_many", call, std::move(done), [&](Done<Entries> done) {
    auto many = MakeRef<Many>();
    many->done = std::move(done);
    many->out.entries.resize(keys.size());
    for (size_t at = 0; at < keys.size(); ++at) many->out.entries[at].key = keys[at].bytes();
    s3::RunParallel(
        keys.size(), objects_->settings().concurrency,
        [objects = objects_, many, call](size_t at, UniqueFunction<void()> next) {
          objects->Get(many->out.entries[at].key, Read::Whole(), call, "get_many",
                       [many, at, next = std::move(next)](Answer&& answer) mutable {
                         Entry& entry = many->out.entries[at];
                         entry.status = std::move(answer.status);
                         entry.meta = answer.meta;
                         entry.value = std::move(answer.value);
                         next();
                       });
        },
        [many, name = name()] {
          many->out.Summarise(name, "get_many");
          many->done(std::move(many->out));
        });
  });
}

// A batch, of which the last op of each key counts: puts one by one, dels a thousand at a time.
class BatchWrite final : public RefCounted<BatchWrite> {
 public:
  BatchWrite(Ref<S3Objects> objects, Ref<const Batch> batch, const Call& call, std::string name,
             Done<Entries> done)
      : objects_(std::move(objects)),
        batch_(std::move(batch)),
        call_(call),
        name_(std::move(name)),
        done_(std::move(done)) {}

  void Begin() {
    const std::vector<Batch::Op>& ops = batch_->ops;
    out_.entries.resize(ops.size());
    std::map<Bytes, size_t> last;
    for (size_t at = 0; at < ops.size(); ++at) {
      out_.entries[at].key = ops[at].key.bytes();
      last[ops[at].key.bytes()] = at;
    }
    counts_.resize(ops.size());
    for (size_t at = 0; at < ops.size(); ++at) {
      counts_[at] = last[ops[at].key.bytes()];
      if (counts_[at] == at) (ops[at].value ? puts_ : dels_).push_back(at);
    }
    const size_t chunks = (dels_.size() + S3Objects::kMaxDeletes - 1) / S3Objects::kMaxDeletes;
    s3::RunParallel(
        puts_.size() + chunks, objects_->settings().concurrency,
        [self = Ref<BatchWrite>(this)](size_t at, UniqueFunction<void()> next) {
          if (at < self->puts_.size()) return self->Put(self->puts_[at], std::move(next));
          self->DelChunk(at - self->puts_.size(), std::move(next));
        },
        [self = Ref<BatchWrite>(this)] { self->Finish(); });
  }

 private:
  void Put(size_t at, UniqueFunction<void()> next) {
    const Batch::Op& op = batch_->ops[at];
    objects_->Put(std::string(op.key.bytes()), Payload(op.value, op.expires_at_ms), call_, "write",
                  Settle(at, std::move(next)));
  }
  void DelChunk(size_t chunk, UniqueFunction<void()> next) {
    const size_t begin = chunk * S3Objects::kMaxDeletes;
    const size_t end = std::min(dels_.size(), begin + S3Objects::kMaxDeletes);
    if (end - begin == 1) {
      return objects_->Del(std::string(batch_->ops[dels_[begin]].key.bytes()), call_, "write",
                           Settle(dels_[begin], std::move(next)));
    }
    std::vector<std::string> keys;
    for (size_t i = begin; i < end; ++i) keys.emplace_back(batch_->ops[dels_[i]].key.bytes());
    objects_->DelMany(std::move(keys), call_,
                      [self = Ref<BatchWrite>(this), begin,
                       next = std::move(next)](std::vector<Status>&& statuses) mutable {
                        for (size_t i = 0; i < statuses.size(); ++i) {
                          self->out_.entries[self->dels_[begin + i]].status =
                              std::move(statuses[i]);
                        }
                        next();
                      });
  }
  UniqueFunction<void(Receipt&&)> Settle(size_t at, UniqueFunction<void()> next) {
    return [self = Ref<BatchWrite>(this), at, next = std::move(next)](Receipt&& receipt) mutable {
      self->out_.entries[at].status = std::move(receipt.status);
      self->out_.entries[at].meta = receipt.meta;
      next();
    };
  }
  void Finish() {
    for (size_t at = 0; at < counts_.size(); ++at) {
      if (counts_[at] != at) out_.entries[at].status = out_.entries[counts_[at]].status;
    }
    out_.Summarise(name_, "write");
    done_(std::move(out_));
  }

  const Ref<S3Objects> objects_;
  const Ref<const Batch> batch_;
  const Call call_;
  const std::string name_;
  Done<Entries> done_;
  Entries out_;
  std::vector<size_t> counts_;  // of each op, the one whose outcome is its own
  std::vector<size_t> puts_;
  std::vector<size_t> dels_;
};

void S3Store::Write(Ref<const Batch> batch, const Call& call, Done<Entries> done) noexcept {
  // Conditions look at what the ops before have left: one by one then.
  if (call.Has(Call::kIfAbsent)) return Store::Write(std::move(batch), call, std::move(done));
  if (call.wait == Wait::kNever) return done(Entries(Status(Code::kWouldBlock)));
  KeySlots::Keys keys;
  for (const Batch::Op& op : batch->ops) keys.push_back(op.key);
  auto sorted = std::make_shared<const KeySlots::Keys>(KeySlots::Sorted(std::move(keys)));
  slots_.AcquireAll(
      sorted, call,
      [this, self = Ref<Store>(this), batch, sorted, call,
       done = std::move(done)](Status&& turn) mutable {
        if (!turn.ok()) return done(Entries(EndedStatus(turn.code(), "write")));
        Run<Entries>(
            "write", call,
            [this, self, sorted, done = std::move(done)](Entries&& entries) mutable {
              slots_.ReleaseAll(*sorted);
              done(std::move(entries));
            },
            [&](Done<Entries> done) {
              MakeRef<BatchWrite>(objects_, batch, call, name(), std::move(done))->Begin();
            });
      });
}

}  // namespace

Result<Ref<Store>> NewS3Store(std::string_view bucket, const Options* options,
                              std::shared_ptr<s3::CredentialProvider> own) {
  Result<s3::S3Settings> settings = s3::S3Settings::Make(bucket, options);
  if (!settings.ok()) return settings.status();
  const bool is_own = own != nullptr;
  if (Status wrong = settings->UseOwnCredentials(std::move(own)); !wrong.ok()) return wrong;
  auto store = MakeRef<S3Store>(std::move(*settings), RuntimeFor(options));
  store->objects().AbortLeftUploads();
  store->SetRecipe({"s3", {{"bucket", std::string(bucket)}}, kS3Options, options});
  if (is_own) store->NoteRecipe({"credentials", std::string(Recipe::kMasked)});
  return Ref<Store>(std::move(store));
}

Result<std::string> PresignS3(Store& store, std::string_view method, const Key& key,
                              uint64_t expires_ms, const Call& call) {
  auto* const s3 = dynamic_cast<S3Store*>(&store);
  const auto wrong = [&](const char* what) {
    return Failure(Code::kInvalid, what).Store(store.name()).Op("presign");
  };
  if (!s3) return wrong("this is no S3 store");
  if (method != "GET" && method != "PUT" && method != "HEAD" && method != "DELETE") {
    return wrong("the method is not GET, PUT, HEAD or DELETE");
  }
  const uint64_t seconds = expires_ms / 1000;
  if (seconds < 1 || seconds > uint64_t{s3::kMaxPresignSeconds}) {
    return wrong("a URL is valid for 1 s to 7 days");
  }
  GatePass pass(store.gate());
  if (!pass) return Failure(Code::kClosed, "the store is closed").Store(store.name()).Op("presign");
  struct Url {
    Result<std::string> url{std::string()};
  };
  Url answer;
  const Code ended = Await<Url>(call, &answer, [&](Done<Url> done) {
    s3->objects().client().Presign(
        std::string(method), s3->objects().keys().Encode(key.bytes), static_cast<int64_t>(seconds),
        [done = std::move(done)](Result<std::string>&& url) mutable { done(Url{std::move(url)}); });
  });
  if (ended != Code::kOk) return Failure(ended, "there are no credentials yet").Store(store.name());
  return std::move(answer.url);
}

}  // namespace chainstore
