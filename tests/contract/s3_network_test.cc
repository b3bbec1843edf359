// A bad network between the store and a real S3 server: every fault x operation x place x
// direction is a cell. Whatever happens, a value that is given is the right one, a failure is a
// failure and no miss, a write is there whole or not at all, each call ends in its time, and when
// the network is well again so is the store.
// Without CHAINSTORE_NETWORK_CELLS=all a quarter of the 192 cells is run: every fault on every
// operation, in the direction that its bytes go, at every other place.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>

#include "contract/s3_subject.h"
#include "contract/toxi_proxy.h"

namespace contract {
namespace {

using Milliseconds = std::chrono::milliseconds;

struct Fault {
  const char* name;
  const char* type;        // toxiproxy's; "" takes the whole proxy down
  const char* attributes;  // a null string: of limit_data, by the place
  bool harmless;           // every call works
};

constexpr Fault kFaults[] = {
    {"latency", "latency", "\"latency\":100,\"jitter\":50", true},
    {"bandwidth", "bandwidth", "\"rate\":8192", true},
    {"slow_close", "slow_close", "\"delay\":300", true},
    {"slicing", "slicer", "\"average_size\":4000,\"size_variation\":1000,\"delay\":10", true},
    {"timeout", "timeout", "\"timeout\":0", false},
    {"reset", "reset_peer", "\"timeout\":0", false},
    {"limit", "limit_data", nullptr, false},
    {"down", "", "", false},
};

struct Operation {
  const char* name;
  bool upstream;   // where most of its bytes go
  size_t bytes;    // how many
  unsigned speed;  // KB/s: it takes about a quarter of a second
};

constexpr size_t kLarge = 11 * kMiB + 5;
constexpr size_t kListed = 300;
constexpr Operation kOperations[] = {
    {"get", false, kMiB, 4096},
    {"put", true, kMiB, 4096},
    {"multipart", true, kLarge, 20480},
    {"list", false, 90'000, 360},
};

constexpr const char* kPlaces[] = {"first", "middle", "last"};
constexpr uint64_t kDeadlineMs = 2000;
constexpr uint64_t kHarmlessMs = 30'000;  // time enough on a busy machine

struct Cell {
  const Fault* fault;
  const Operation* operation;
  size_t place;
  bool upstream;
};

std::vector<Cell> Cells() {
  std::vector<Cell> cells;
  if (!HasS3() || !ToxiProxy::HasServer()) return cells;
  const char* const which = getenv("CHAINSTORE_NETWORK_CELLS");
  const bool all = which && std::string(which) == "all";
  for (size_t fault = 0; fault < std::size(kFaults); ++fault) {
    for (size_t operation = 0; operation < std::size(kOperations); ++operation) {
      for (size_t place = 0; place < std::size(kPlaces); ++place) {
        for (const bool upstream : {false, true}) {
          const bool chosen =
              upstream == kOperations[operation].upstream && (fault + operation + place) % 2 == 0;
          if (all || chosen) {
            cells.push_back({&kFaults[fault], &kOperations[operation], place, upstream});
          }
        }
      }
    }
  }
  return cells;
}

std::string NameOf(const ::testing::TestParamInfo<Cell>& info) {
  const Cell& cell = info.param;
  return std::string(cell.fault->name) + "_" + cell.operation->name + "_" + kPlaces[cell.place] +
         (cell.upstream ? "_up" : "_down") + "_S3";
}

std::string Text(size_t size, char first) {
  std::string text(size, first);
  for (size_t at = 0; at < size; at += 61) text[at] = static_cast<char>('a' + at / 61 % 26);
  return text;
}

std::string ListedKey(size_t number) {
  return "list/" + std::string(100, 'k') + std::to_string(1000 + number);
}

size_t OpenDescriptors() {
  size_t count = 0;
  for ([[maybe_unused]] const auto& each : std::filesystem::directory_iterator("/proc/self/fd")) {
    ++count;
  }
  return count;
}

Client OpenAt(const std::string& endpoint) {
  std::vector<std::pair<std::string, std::string>> more = {
      {"ttl", "false"}, {"multipart_threshold", "5MiB"}, {"part_size", "5MiB"}};
  if (!endpoint.empty()) more.emplace_back("endpoint", endpoint);
  return S3With("network", more);
}

// The server itself, past the proxy. Closed after each use, so that it keeps no connection.
class Direct {
 public:
  Direct() : client_(OpenAt("")) {}
  ~Direct() { EXPECT_TRUE(client_.Close().ok()); }
  Direct(const Direct&) = delete;
  Direct& operator=(const Direct&) = delete;
  Client* operator->() { return &client_; }

 private:
  Client client_;
};

class NetworkTest : public ::testing::TestWithParam<Cell> {
 protected:
  // What all cells find there, made by the first one.
  static void SetUpTestSuite() {
    Direct direct;
    ASSERT_TRUE(direct->Put("get", Text(kMiB, 'v')).ok());
    const std::string small = "v";
    std::vector<std::pair<std::string, const std::string*>> ops;
    for (size_t i = 0; i < kListed; ++i) ops.emplace_back(ListedKey(i), &small);
    cs_status status = CS_OK;
    direct->Write(ops, &status);
    ASSERT_EQ(status, CS_OK);
  }
  // The fault comes before the first byte, after half of the time that all bytes take, or near
  // the end of it.
  void Break(ToxiProxy& proxy) {
    const Cell& cell = GetParam();
    const Fault& fault = *cell.fault;
    if (!fault.attributes) {  // it counts the bytes itself
      const size_t after[] = {1, cell.operation->bytes / 2, cell.operation->bytes};
      return proxy.Add("fault", fault.type, cell.upstream,
                       "\"bytes\":" + std::to_string(after[cell.place]));
    }
    constexpr Milliseconds kAfter[] = {Milliseconds(0), Milliseconds(125), Milliseconds(230)};
    std::this_thread::sleep_for(kAfter[cell.place]);
    if (*fault.type) return proxy.Add("fault", fault.type, cell.upstream, fault.attributes);
    proxy.SetUp(false);
  }

  // Runs one call of the store, which must end in its time.
  template <class Ask>
  auto Timed(Ask&& ask) {
    cs_call call = CS_CALL_INIT;
    call.timeout_ms = GetParam().fault->harmless ? kHarmlessMs : kDeadlineMs;
    const auto begin = std::chrono::steady_clock::now();
    auto reply = ask(&call);
    EXPECT_LE(std::chrono::steady_clock::now() - begin, Milliseconds(call.timeout_ms + 1000))
        << "later than its deadline";
    return reply;
  }

  // The status of the operation; what must hold after it is checked here.
  cs_status Play(Client& store) {
    const std::string operation = GetParam().operation->name;
    if (operation == "list") return List(store);
    if (operation != "get") return Write(store, GetParam().operation->bytes);
    const Reply reply = Timed([&](cs_call* call) { return store.Get("get", call); });
    EXPECT_TRUE(!reply.ok() || reply.value == Text(kMiB, 'v')) << "a wrong value";
    message_ = reply.message;
    return reply.status;
  }

  cs_status List(Client& store) {
    cs_range range = CS_RANGE_INIT;
    range.flags = CS_SCAN_KEYS_ONLY;
    range.prefix = "list/";
    range.prefix_size = 5;
    range.page_size = 1000;
    cs_scan* const scan = cs_scan_new(store.get(), &range, nullptr);
    cs_result result;
    const cs_status status =
        Timed([&](cs_call* call) { return cs_scan_next_sync(scan, call, &result); });
    EXPECT_TRUE(status != CS_OK || result.count == kListed) << "keys are missing";
    for (size_t i = 0; status == CS_OK && i < result.count; ++i) {
      EXPECT_EQ(
          std::string(static_cast<const char*>(result.entries[i].key), result.entries[i].key_size),
          ListedKey(i));
    }
    if (result.error) message_ = cs_error_message(result.error);
    cs_result_release(&result);
    cs_scan_free(scan);
    return status;
  }

  cs_status Write(Client& store, size_t size) {
    const std::string key = "put-" + NameOf({GetParam(), 0});
    const std::string before = "what was there before", after = Text(size, 'w');
    EXPECT_TRUE(Direct()->Put(key, before).ok());
    const Reply put = Timed([&](cs_call* call) { return store.Put(key, after, call); });
    message_ = put.message;
    const Reply now = Direct()->Get(key);
    EXPECT_TRUE(now.ok()) << now.message;
    EXPECT_TRUE(now.value == after || (!put.ok() && now.value == before)) << "neither old nor new";
    EXPECT_TRUE(Direct()->Del(key).ok());
    return put.status;
  }

  std::string message_;
};

TEST_P(NetworkTest, KeepsEveryPromise) {
  const Cell& cell = GetParam();
  const size_t descriptors = OpenDescriptors();
  ToxiProxy proxy(NameOf({cell, 0}));
  {
    Client store = OpenAt(proxy.endpoint());
    EXPECT_TRUE(store.Get("get").ok()) << "the network is well";
    // Slowed down, so that a fault finds it under way.
    proxy.Add("speed", "bandwidth", cell.operation->upstream,
              "\"rate\":" + std::to_string(cell.operation->speed));
    std::thread breaker;
    if (cell.place == 0 || !cell.fault->attributes) {
      Break(proxy);
    } else {
      breaker = std::thread([&] { Break(proxy); });
    }
    const cs_status status = Play(store);
    if (breaker.joinable()) breaker.join();
    RecordProperty("ended", cs_status_name(status));
    if (cell.fault->harmless) {
      EXPECT_STREQ(cs_status_name(status), "CS_OK") << message_;
    } else {
      EXPECT_TRUE(status == CS_OK || status == CS_IO || status == CS_TIMEOUT || status == CS_BUSY)
          << cs_status_name(status) << ": " << message_;
      const bool hits_all = cell.place == 0 && cell.upstream == cell.operation->upstream;
      EXPECT_TRUE(status != CS_OK || !hits_all) << "the fault does nothing";
    }
    proxy.Reset();
    EXPECT_TRUE(store.Get("get").ok()) << "the network is well again";
    EXPECT_TRUE(store.Close().ok());
  }
  EXPECT_EQ(OpenDescriptors(), descriptors) << "a connection is left";
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(NetworkTest);
INSTANTIATE_TEST_SUITE_P(Cells, NetworkTest, ::testing::ValuesIn(Cells()), NameOf);

}  // namespace
}  // namespace contract
