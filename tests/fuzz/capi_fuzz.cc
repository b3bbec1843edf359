// Sequences of C ABI calls, right and wrong ones, over a memory store and a chain of two: whatever
// the bytes say, a call answers with a status of its own, a failure has an error and nothing else
// has, every started call completes, and nothing leaks.
#include <chainstore.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

namespace {

void Must(bool holds) {
  if (!holds) abort();
}

// Takes numbers and strings off the input; 0 and "" when it is used up.
class Input {
 public:
  Input(const uint8_t* data, size_t size) : data_(data), size_(size) {}
  bool empty() const { return size_ == 0; }
  uint8_t Byte() {
    if (size_ == 0) return 0;
    --size_;
    return *data_++;
  }
  std::string Text() {
    // Few different keys, so that calls meet; now and then one that is too long.
    const uint8_t what = Byte();
    if (what == 255) return std::string(1025, 'k');
    return std::string(what % 4, static_cast<char>('a' + what % 3));
  }

 private:
  const uint8_t* data_;
  size_t size_;
};

void Check(cs_status status, cs_result* result) {
  Must(status == result->status);
  Must((status < 0) == (result->error != nullptr));
  Must(strncmp(cs_status_name(status), "CS_", 3) == 0);
  if (result->value == nullptr) Must(result->size == 0);
  for (size_t at = 0; at < result->count; ++at) {
    Must((result->entries[at].status < 0) == (result->entries[at].error != nullptr));
  }
  cs_result_release(result);
  Must(result->value == nullptr && result->error == nullptr && result->count == 0);
}

struct Started {
  std::atomic<int> begun{0};
  std::atomic<int> completed{0};
};

void Completed(void* user_data, cs_result* result) {
  Must((result->status < 0) == (result->error != nullptr));
  static_cast<Started*>(user_data)->completed.fetch_add(1);
}

cs_call CallFrom(Input& input, cs_cancel* token) {
  cs_call call = CS_CALL_INIT;
  const uint8_t what = input.Byte();
  call.flags = what & 0x7f;
  if (what & 0x80) call.flags |= uint32_t{input.Byte()} << 8;  // mostly unknown ones
  const uint8_t more = input.Byte();
  if (more & 1) call.timeout_ms = 1 + (more >> 4);
  if (more & 2) call.cancel = token;
  if (more & 4) call.ttl_ms = (more & 8) ? UINT64_MAX : 1000;
  // An older caller's; a larger one would promise memory that is not there.
  if (more == 0xf0) call.struct_size = input.Byte() % (sizeof call + 1);
  call.ack = more == 0xe0 ? input.Byte() : 0;
  return call;
}

void RunScan(cs_store* store, Input& input, const cs_call& call) {
  const std::string prefix = input.Text(), start = input.Text(), end = input.Text();
  cs_range range = CS_RANGE_INIT;
  range.flags = input.Byte() % 8;
  range.prefix = prefix.data();
  range.prefix_size = prefix.size();
  range.start = start.data();
  range.start_size = start.size();
  range.end = end.data();
  range.end_size = end.size();
  range.page_size = input.Byte();
  cs_error* error = nullptr;
  cs_scan* scan = cs_scan_new(store, &range, &error);
  Must((scan == nullptr) == (error != nullptr));
  cs_error_unref(error);
  for (int page = 0; scan && page < 3; ++page) {
    cs_result result;
    Check(cs_scan_next_sync(scan, &call, &result), &result);
  }
  cs_scan_free(scan);
}

void RunBatch(cs_store* store, Input& input, const cs_call& call) {
  cs_batch* batch = cs_batch_new();
  for (int left = input.Byte() % 5; left > 0; --left) {
    const std::string key = input.Text(), value = input.Text();
    if (input.Byte() % 3) {
      (void)cs_batch_put(batch, key.data(), key.size(), value.data(), value.size());
    } else {
      (void)cs_batch_del(batch, key.data(), key.size());
    }
  }
  cs_result result;
  Check(cs_write_sync(store, batch, &call, &result), &result);
  cs_batch_free(batch);
}

void RunOne(cs_store* store, Input& input, cs_cancel* token, Started* started) {
  const uint8_t what = input.Byte() % 13;
  const cs_call call = CallFrom(input, token);
  const std::string key = input.Text(), value = input.Text();
  cs_result result;
  const auto begun = [started](cs_status status) { started->begun += status == CS_OK; };
  switch (what) {
    case 0:
      return Check(cs_get_sync(store, key.data(), key.size(), &call, &result), &result);
    case 1:
      return Check(
          cs_put_sync(store, key.data(), key.size(), value.data(), value.size(), &call, &result),
          &result);
    case 2:
      return Check(cs_del_sync(store, key.data(), key.size(), &call, &result), &result);
    case 3:
      return Check(cs_stat_sync(store, key.data(), key.size(), &call, &result), &result);
    case 4:
      return Check(cs_get_range_sync(store, key.data(), key.size(), input.Byte(), input.Byte(),
                                     &call, &result),
                   &result);
    case 5:
      return Check(cs_get_try(store, key.data(), key.size(), &result), &result);
    case 6:
      return RunBatch(store, input, call);
    case 7:
      return RunScan(store, input, call);
    case 8: {
      const std::string keys = key + value;
      const uint32_t sizes[] = {static_cast<uint32_t>(key.size()),
                                static_cast<uint32_t>(value.size())};
      return Check(cs_get_many_sync(store, keys.data(), sizes, 2, &call, &result), &result);
    }
    case 9:
      return begun(cs_get(store, key.data(), key.size(), &call, Completed, started));
    case 10:
      return begun(cs_put(store, key.data(), key.size(), value.data(), value.size(), &call,
                          Completed, started));
    case 11:
      return Check(cs_flush_sync(store, key.data(), key.size(), &call, &result), &result);
    default:
      if (input.Byte() == 7) cs_cancel_fire(token);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  cs_store* near = cs_memory_new(1 << 14, nullptr, nullptr);
  cs_store* far = cs_memory_new(1 << 16, nullptr, nullptr);
  cs_store* links[] = {near, far};
  cs_options* options = cs_options_new();
  (void)cs_options_set(options, "writes", "through");
  cs_store* chain = cs_chain_new(links, 2, options, nullptr);
  cs_options_free(options);
  cs_cancel* token = cs_cancel_new();
  Started started;
  Input input(data, size);
  for (int left = 64; left > 0 && !input.empty(); --left) {
    cs_store* store = input.Byte() % 4 == 0 ? far : chain;
    RunOne(store, input, token, &started);
  }
  // Whatever was started ends before the close does, and the close before this returns.
  Must(cs_store_close_sync(chain, nullptr, nullptr) == CS_OK);
  while (started.completed.load() < started.begun.load()) std::this_thread::yield();
  cs_cancel_unref(token);
  cs_store_unref(chain);
  cs_store_unref(near);
  cs_store_unref(far);
  return 0;
}
