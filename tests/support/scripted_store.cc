#include "support/scripted_store.h"

#include "core/await.h"

namespace chainstore {
namespace {

const char* OpName(ScriptedStore::Op op) {
  switch (op) {
    case ScriptedStore::Op::kGet:
      return "get";
    case ScriptedStore::Op::kPut:
      return "put";
    case ScriptedStore::Op::kDel:
      return "del";
    case ScriptedStore::Op::kScan:
      return "scan";
  }
  return "";
}

}  // namespace

ScriptedStore::ScriptedStore(std::string name, uint32_t caps)
    : Store(std::move(name), RuntimeSlot::Default().Acquire()), caps_(caps) {}

void ScriptedStore::SetScript(Script script) {
  MutexLock lock(mutex_);
  script_ = std::move(script);
}

void ScriptedStore::Fail(Op op, Code code) {
  MutexLock lock(mutex_);
  failures_[op] = code;
}

std::string ScriptedStore::Peek(const std::string& key) const {
  MutexLock lock(mutex_);
  const auto found = data_.find(key);
  return found == data_.end() ? "" : found->second.value;
}

bool ScriptedStore::Has(const std::string& key) const {
  MutexLock lock(mutex_);
  return data_.contains(key);
}

void ScriptedStore::Plant(const std::string& key, const std::string& value) {
  MutexLock lock(mutex_);
  data_[key] = {value, 0, ++last_version_};
}

void ScriptedStore::Evict(const std::string& key) {
  MutexLock lock(mutex_);
  data_.erase(key);
}

size_t ScriptedStore::Count(Op op) const {
  MutexLock lock(mutex_);
  const auto found = counts_.find(op);
  return found == counts_.end() ? 0 : found->second;
}

std::vector<std::string> ScriptedStore::Log() const {
  MutexLock lock(mutex_);
  return log_;
}

size_t ScriptedStore::misses_noted() const {
  MutexLock lock(mutex_);
  return misses_noted_;
}

void ScriptedStore::NoteMiss(const Key&) noexcept {
  MutexLock lock(mutex_);
  ++misses_noted_;
}

// Runs `effect` when and if the script says so; kHere waits for that on the caller's thread.
template <class T>
void ScriptedStore::Play(Op op, const Key& key, const Call& call, Done<T> done,
                         std::function<T(ScriptedStore&)> effect) {
  if (closed()) return done(T(ClosedStatus(OpName(op))));
  if (call.wait == Wait::kNever && !(caps_ & kCapTry)) return done(T(Status(Code::kWouldBlock)));
  Script script;
  Code failure = Code::kOk;
  {
    MutexLock lock(mutex_);
    ++counts_[op];
    if (call.wait != Wait::kNever) script = script_;
    if (failures_.contains(op)) failure = failures_[op];
  }
  if (!script) script = [failure](Op, const std::string&, const Go& go) { go(failure); };
  auto begin = [&](Done<T> end) {
    // std::function must be copyable: the one-time continuation lives behind a pointer.
    auto once = std::make_shared<Done<T>>(std::move(end));
    script(op, std::string(key.bytes),
           [self = Ref<ScriptedStore>(this), op, effect, once](Code code) {
             if (code == Code::kOk) return (*once)(effect(*self));
             Status failed = static_cast<int>(code) < 0
                                 ? Status(self->Store::Fail(code, OpName(op), "as scripted"))
                                 : Status(code);
             (*once)(T(std::move(failed)));
           });
  };
  if (call.wait != Wait::kHere) return begin(std::move(done));
  T answer;
  if (const Code ended = Await<T>(call, &answer, begin); ended != Code::kOk) {
    answer = T(EndedStatus(ended, OpName(op)));
  }
  done(std::move(answer));
}

Answer ScriptedStore::Look(const std::string& key, const Read& read) {
  MutexLock lock(mutex_);
  const auto found = data_.find(key);
  if (found == data_.end()) return Answer(Code::kNotFound);
  const Stored& stored = found->second;
  if (stored.expires_at_ms != 0 && stored.expires_at_ms <= runtime().clock().WallMs()) {
    return Answer(Code::kNotFound);
  }
  Answer answer;
  answer.meta = {stored.value.size(), stored.expires_at_ms, stored.version};
  if (read.what == Read::What::kStat) return answer;
  answer.value = Value::Copy(stored.value);
  if (read.what == Read::What::kRange) {
    const size_t size = stored.value.size();
    answer.value = Value::Slice(answer.value, read.Offset(size), read.Length(size));
  }
  return answer;
}

void ScriptedStore::Get(const Key& key, const Read& read, const Call& call,
                        Done<Answer> done) noexcept {
  Play<Answer>(Op::kGet, key, call, std::move(done),
               [bytes = std::string(key.bytes), read](ScriptedStore& self) {
                 return self.Look(bytes, read);
               });
}

bool ScriptedStore::GetHit(const Key& key, Hit* hit) noexcept {
  {
    MutexLock lock(mutex_);
    const auto failure = failures_.find(Op::kGet);
    const bool fails = failure != failures_.end() && failure->second != Code::kOk;
    if ((caps_ & kCapTry) == 0 || script_ || fails) return false;
  }
  const Answer answer = Look(std::string(key.bytes), Read::Whole());
  if (closed() || !answer.status.ok()) return false;
  *hit = {answer.value, answer.meta.expires_at_ms, answer.meta.version};
  return true;
}
void ScriptedStore::Put(const Key& key, const Payload& payload, const Call& call,
                        Done<Receipt> done) noexcept {
  Play<Receipt>(Op::kPut, key, call, std::move(done),
                [bytes = std::string(key.bytes), value = std::string(payload.bytes()),
                 expires = payload.expires_at_ms()](ScriptedStore& self) {
                  MutexLock lock(self.mutex_);
                  Receipt receipt;
                  receipt.meta = {value.size(), expires, ++self.last_version_};
                  self.data_[bytes] = {value, expires, receipt.meta.version};
                  self.log_.push_back("put " + bytes + "=" + value);
                  return receipt;
                });
}

void ScriptedStore::Del(const Key& key, const Call& call, Done<Receipt> done) noexcept {
  Play<Receipt>(Op::kDel, key, call, std::move(done),
                [bytes = std::string(key.bytes)](ScriptedStore& self) {
                  MutexLock lock(self.mutex_);
                  self.data_.erase(bytes);
                  self.log_.push_back("del " + bytes);
                  return Receipt();
                });
}

Page ScriptedStore::Collect(const Range& range) {
  MutexLock lock(mutex_);
  Page page;
  const auto take = [&](const std::string& key, const Stored& stored) {
    if (!range.Contains(key)) return true;
    if (page.entries.size() == range.Limit()) {
      page.more = true;
      return false;
    }
    Entry entry;
    entry.key = key;
    entry.meta = {stored.value.size(), stored.expires_at_ms, stored.version};
    if (!range.keys_only) entry.value = Value::Copy(stored.value);
    page.entries.push_back(std::move(entry));
    return true;
  };
  if (range.reverse) {
    for (auto at = data_.rbegin(); at != data_.rend() && take(at->first, at->second); ++at) {
    }
  } else {
    for (auto at = data_.begin(); at != data_.end() && take(at->first, at->second); ++at) {
    }
  }
  page.status = page.entries.empty() ? Code::kEnd : Code::kOk;
  return page;
}

void ScriptedStore::Scan(const Range& range, const Call& call, Done<Page> done) noexcept {
  Play<Page>(Op::kScan, Key(range.prefix), call, std::move(done),
             [range](ScriptedStore& self) { return self.Collect(range); });
}

}  // namespace chainstore
