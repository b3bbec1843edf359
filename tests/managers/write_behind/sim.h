// What the write-behind's tests run in: a simulation on one thread. SimClock is the scheduler, with
// time that passes only when a test lets it; Remote is an inner store whose every operation a test
// can answer, fail, hold back, or let take effect late.
#pragma once

#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "core/error_sink.h"
#include "gtest/gtest.h"
#include "managers/write_behind/write_behind.h"

namespace chainstore::behind {

class SimClock {
 public:
  explicit SimClock(uint64_t seed = 1) : random(seed) {}

  // Everything that can run without time passing.
  void RunAll() {
    while (RunOne()) {
    }
  }
  // False: there is nothing to run.
  bool RunOne() {
    Scheduler::Task task = TakePosted();
    if (!task) return false;
    task();
    return true;
  }
  // From any thread: a store whose last user has gone is closed by a worker.
  void Post(Scheduler::Task task) {
    MutexLock lock(posted_mutex_);
    posted_.push_back(std::move(task));
  }
  // Lets time pass, running what becomes due on the way.
  void Advance(int64_t ms) {
    RunAll();
    const int64_t until_ns = now_ns + ms * 1'000'000;
    while (!timers.empty() && timers.begin()->first.first <= until_ns) Fire();
    wall_ms += (until_ns - now_ns) / 1'000'000;
    now_ns = until_ns;
  }
  // To the next timer. False: there is none.
  bool Step() {
    RunAll();
    if (timers.empty()) return false;
    Fire();
    return true;
  }
  int64_t In(int64_t ms) const { return now_ns + ms * 1'000'000; }

  int64_t now_ns = Clock::System().SteadyNs();
  int64_t wall_ms = 1'700'000'000'000;
  std::map<std::pair<int64_t, uint64_t>, Scheduler::Task> timers;
  uint64_t next_timer = 1;
  std::mt19937_64 random;

 private:
  Scheduler::Task TakePosted() {
    MutexLock lock(posted_mutex_);
    if (posted_.empty()) return nullptr;
    Scheduler::Task task = std::move(posted_.front());
    posted_.pop_front();
    return task;
  }
  void Fire() {
    const auto first = timers.begin();
    Scheduler::Task task = std::move(first->second);
    if (first->first.first > now_ns) {
      wall_ms += (first->first.first - now_ns) / 1'000'000;
      now_ns = first->first.first;
    }
    timers.erase(first);
    task();
    RunAll();
  }

  Mutex posted_mutex_;
  std::deque<Scheduler::Task> posted_ CS_GUARDED_BY(posted_mutex_);
};

class SimScheduler final : public Scheduler {
 public:
  explicit SimScheduler(std::shared_ptr<SimClock> clock) : clock_(std::move(clock)) {}
  int64_t NowNs() noexcept override { return clock_->now_ns; }
  int64_t WallMs() noexcept override { return clock_->wall_ms; }
  uint64_t Random() noexcept override { return clock_->random(); }
  void Post(Task task) noexcept override { clock_->Post(std::move(task)); }
  uint64_t At(int64_t when_ns, Task task) noexcept override {
    const uint64_t id = clock_->next_timer++;
    clock_->timers.emplace(std::make_pair(when_ns, id), std::move(task));
    return id;
  }
  void Cancel(uint64_t id, int64_t when_ns) noexcept override {
    clock_->timers.erase({when_ns, id});
  }

 private:
  const std::shared_ptr<SimClock> clock_;
};

// The inner store. By default every write succeeds at once; `answer` decides otherwise.
class Remote final : public Store {
 public:
  struct Sent {
    std::string key;
    Ref<Value> value;  // null: a delete
    int64_t expires_at_ms;
    Call call;
    Done<Receipt> done;  // held: not answered yet
  };
  struct Stored {
    std::string value;
    int64_t expires_at_ms;
  };
  // kHold: the test answers later, by Answer or Fail.
  enum class Verdict { kApply, kHold, kRefuse };

  explicit Remote(std::shared_ptr<SimClock> clock = nullptr)
      : Store("remote", RuntimeSlot::Default().Acquire()), clock_(std::move(clock)) {}
  ~Remote() override { EXPECT_TRUE(held.empty()) << "a write was never answered"; }

  uint32_t caps() const noexcept override { return own_caps; }
  Limits limits() const noexcept override { return own_limits; }

  void Put(const Key& key, const Payload& payload, const Call& call,
           Done<Receipt> done) noexcept override {
    Take(std::string(key.bytes), payload.Share(), payload.expires_at_ms(), call, std::move(done));
  }
  void Del(const Key& key, const Call& call, Done<Receipt> done) noexcept override {
    Take(std::string(key.bytes), nullptr, 0, call, std::move(done));
  }
  void Get(const Key& key, const Read& read, const Call& call,
           Done<Answer> done) noexcept override {
    ++gets;
    last_get = call;
    if (!get_status.ok()) return done(Answer(get_status));
    Answer answer = Look(std::string(key.bytes), read);
    if (!hold_gets) return done(std::move(answer));
    held_gets.push_back([answer = std::move(answer), done = std::move(done)]() mutable {
      done(std::move(answer));
    });
  }
  void Scan(const Range& range, const Call&, Done<Page> done) noexcept override {
    ++scans;
    if (on_scan) on_scan();
    if (!get_status.ok()) return done(Page(get_status));
    done(PageOf(range));
  }
  void Flush(Bytes prefix, const Call&, Done<Status> done) noexcept override {
    flushed.push_back(std::string(prefix));
    done(Status(flush_status));
  }

  // ---- What a test does ----
  // Answers the oldest held write after it took effect.
  void Answer1(Status status = {}) {
    ASSERT_FALSE(held.empty());
    Apply(held.front());
    Reply(std::move(status));
  }
  // Answers the oldest held write; it did not take effect, or not yet.
  void Fail1(Status status) {
    ASSERT_FALSE(held.empty());
    Reply(std::move(status));
  }
  void Apply(const Sent& sent) {
    if (sent.value) {
      data[sent.key] = {std::string(sent.value->bytes()), sent.expires_at_ms};
    } else {
      data.erase(sent.key);
    }
  }
  std::string ValueOf(const std::string& key) const {
    const auto found = data.find(key);
    return found == data.end() ? "(none)" : found->second.value;
  }

  uint32_t own_caps =
      kCapOrdered | kCapScan | kCapTry | kCapRange | kCapTtl | kCapDurable | kCapAtomicBatch;
  Limits own_limits;
  std::function<Verdict(const Sent&, Status* status)> answer;
  bool hold = false;  // hold every write
  std::map<std::string, Stored> data;
  std::list<Sent> held;
  std::vector<std::string> log;  // "put k v", "del k", as they arrived
  int gets = 0, scans = 0;
  Call last_get;
  bool hold_gets = false;
  std::deque<UniqueFunction<void()>> held_gets;
  Status get_status;
  std::function<void()> on_scan;
  std::vector<std::string> flushed;
  Status flush_status;

 private:
  void Take(std::string key, Ref<chainstore::Value> value, int64_t expires_at_ms, const Call& call,
            Done<Receipt> done) {
    log.push_back(value ? "put " + key + " " + std::string(value->bytes()) : "del " + key);
    Sent sent{std::move(key), std::move(value), expires_at_ms, call, {}};
    Status status;
    Verdict verdict = hold ? Verdict::kHold : Verdict::kApply;
    if (answer) verdict = answer(sent, &status);
    if (verdict == Verdict::kApply && call.Has(Call::kIfAbsent) && data.contains(sent.key)) {
      return done(Receipt(Code::kExists));
    }
    if (verdict == Verdict::kHold) {
      sent.done = std::move(done);
      held.push_back(std::move(sent));
      return;
    }
    if (verdict == Verdict::kApply) Apply(sent);
    Receipt receipt(std::move(status));
    receipt.meta.version = ++version_;
    done(std::move(receipt));
  }
  void Reply(Status status) {
    Done<Receipt> done = std::move(held.front().done);
    held.pop_front();
    Receipt receipt(std::move(status));
    receipt.meta.version = ++version_;
    done(std::move(receipt));
  }
  bool Expired(const Stored& stored) const {
    return clock_ && stored.expires_at_ms != 0 && stored.expires_at_ms <= clock_->wall_ms;
  }
  Answer Look(const std::string& key, const Read& read) const {
    const auto found = data.find(key);
    if (found == data.end() || Expired(found->second)) return Answer(Code::kNotFound);
    Answer out;
    const std::string& value = found->second.value;
    out.tier = 1;
    out.meta.total_size = value.size();
    if (read.what == Read::What::kStat) return out;
    out.value = chainstore::Value::Copy(
        Bytes(value).substr(read.Offset(value.size()), read.Length(value.size())));
    return out;
  }
  Page PageOf(const Range& range) const {
    Page page;
    const auto take = [&](const auto& entry) {
      if (!range.Contains(entry.first) || Expired(entry.second)) return true;
      if (page.entries.size() == range.Limit()) {
        page.more = true;
        return false;
      }
      Entry out;
      out.key = entry.first;
      out.meta.total_size = entry.second.value.size();
      if (!range.keys_only) out.value = chainstore::Value::Copy(entry.second.value);
      page.entries.push_back(std::move(out));
      return true;
    };
    if (range.reverse) {
      for (auto at = data.rbegin(); at != data.rend() && take(*at); ++at) {
      }
    } else {
      for (auto at = data.begin(); at != data.end() && take(*at); ++at) {
      }
    }
    if (page.entries.empty()) page.status = Code::kEnd;
    return page;
  }

  const std::shared_ptr<SimClock> clock_;
  uint64_t version_ = 0;
};

// The failures reported by a store. What it notes outlives it: a handler may still be running when
// another takes its place.
class Reports {
 public:
  void Watch(Store& store) {
    store.error_sink().Set(
        [](void* notes, const Error* error) {
          (*static_cast<std::shared_ptr<Notes>*>(notes))->Add(*error);
        },
        new std::shared_ptr<Notes>(notes_),
        [](void* notes) { delete static_cast<std::shared_ptr<Notes>*>(notes); });
  }
  // Waits until what was reported before is here; "state operation key" of each.
  std::vector<std::string> All(Store& store) {
    store.Report(Failure(Code::kInternal, "marker").Detail("state", "marker"));
    Notes& notes = *notes_;
    MutexLock lock(notes.mutex);
    while (notes.markers == notes.seen_markers) notes.changed.Wait(notes.mutex);
    notes.seen_markers = notes.markers;
    return notes.lines;
  }
  std::string Detail(size_t index, const char* name) {
    MutexLock lock(notes_->mutex);
    const std::string* found = notes_->errors.at(index)->FindDetail(name);
    return found ? *found : "(none)";
  }

 private:
  struct Notes {
    void Add(const Error& error) {
      const auto text = [&error](const char* name) {
        const std::string* found = error.FindDetail(name);
        return found ? *found : std::string("?");
      };
      MutexLock lock(mutex);
      if (text("state") == "marker") {
        ++markers;
      } else {
        lines.push_back(text("state") + " " + text("operation") + " " + text("key"));
        errors.push_back(Ref<const Error>(&error));
      }
      changed.NotifyAll();
    }

    Mutex mutex;
    CondVar changed;
    std::vector<std::string> lines CS_GUARDED_BY(mutex);
    std::vector<Ref<const Error>> errors CS_GUARDED_BY(mutex);
    int markers CS_GUARDED_BY(mutex) = 0;
    int seen_markers CS_GUARDED_BY(mutex) = 0;
  };
  const std::shared_ptr<Notes> notes_ = std::make_shared<Notes>();
};

// A write-behind over a Remote, in a simulation.
class SimTest : public ::testing::Test {
 protected:
  void TearDown() override {
    if (!store) return;
    Close();
    remote->data.clear();
  }

  void Open(std::unique_ptr<Journal> journal = nullptr) {
    store = MakeRef<WriteBehind>(remote, settings, RuntimeSlot::Default().Acquire(),
                                 std::move(journal), std::make_unique<SimScheduler>(clock));
    reports.Watch(*store);
  }
  // Drops the store as a user does; what is held is answered first.
  void Close() {
    remote->hold = false;
    remote->answer = nullptr;
    while (!remote->held.empty()) remote->Answer1();
    Call call;
    call.flags = Call::kKeep;
    bool closed = false;
    store->Close(call, [&closed](Status&&) { closed = true; });
    clock->RunAll();
    EXPECT_TRUE(closed);
    store->error_sink().Set(nullptr, nullptr, nullptr);
    store = nullptr;
  }

  static Call Later(Ack ack = Ack::kDefault, uint32_t flags = 0) {
    Call call;
    call.wait = Wait::kLater;
    call.ack = ack;
    call.flags = flags;
    return call;
  }
  // What became of a call: null while it is under way.
  using Ending = std::shared_ptr<std::unique_ptr<Receipt>>;
  Ending Put(const std::string& key, const std::string& value, Call call = Later(),
             int64_t expires_at_ms = 0) {
    auto ending = std::make_shared<std::unique_ptr<Receipt>>();
    store->Put(Key(key), Payload(Bytes(value), expires_at_ms), call, [ending](Receipt&& receipt) {
      EXPECT_FALSE(*ending) << "completed twice";
      *ending = std::make_unique<Receipt>(std::move(receipt));
    });
    return ending;
  }
  Ending Del(const std::string& key, Call call = Later()) {
    auto ending = std::make_shared<std::unique_ptr<Receipt>>();
    store->Del(Key(key), call, [ending](Receipt&& receipt) {
      EXPECT_FALSE(*ending) << "completed twice";
      *ending = std::make_unique<Receipt>(std::move(receipt));
    });
    return ending;
  }
  static Code CodeOf(const Ending& ending) {
    return *ending ? (*ending)->status.code() : Code::kWouldBlock;  // under way
  }
  Answer Get(const std::string& key, const Read& read = Read::Whole(), Call call = Later()) {
    Answer out(Code::kInternal);
    store->Get(Key(key), read, call, [&out](Answer&& answer) { out = std::move(answer); });
    return out;
  }
  std::string Read1(const std::string& key) {
    const Answer answer = Get(key);
    if (answer.status.Is(Code::kNotFound)) return "(none)";
    if (!answer.status.ok()) return answer.status.ToString();
    return std::string(answer.value->bytes());
  }
  std::shared_ptr<Status> Flush(const std::string& prefix = "", Call call = Later()) {
    auto ending = std::make_shared<Status>(Code::kWouldBlock);
    store->Flush(prefix, call, [ending](Status&& status) { *ending = std::move(status); });
    return ending;
  }
  std::shared_ptr<Status> StartClose(Call call = Later()) {
    auto ending = std::make_shared<Status>(Code::kWouldBlock);
    store->Close(call, [ending](Status&& status) { *ending = std::move(status); });
    clock->RunAll();
    return ending;
  }
  static Status Failed(Code code) { return Failure(code, "as the test wants it").Store("remote"); }
  void FailAll(Code code) {
    remote->answer = [code](const Remote::Sent&, Status* status) {
      *status = Failed(code);
      return Remote::Verdict::kRefuse;
    };
  }

  std::shared_ptr<SimClock> clock = std::make_shared<SimClock>();
  Ref<Remote> remote = MakeRef<Remote>(clock);
  Settings settings;
  Reports reports;
  Ref<WriteBehind> store;
};

}  // namespace chainstore::behind
