// S3 is gone for a while, under load: what is local is read as fast as ever, S3 is asked less than
// once a second, writes are taken and drain when it is back. As long as
// CHAINSTORE_OUTAGE_SECONDS says (tests/s3/campaign.sh: 60).
#include <atomic>
#include <chrono>
#include <filesystem>
#include <map>
#include <thread>

#include "contract/forwarder.h"
#include "contract/s3_subject.h"

namespace contract {
namespace {

using Seconds = std::chrono::seconds;
using Clock = std::chrono::steady_clock;

constexpr size_t kLocal = 500;  // keys that are read
constexpr size_t kOutageWriters = 2;
// What was under way fails first, some of it after its retries; then the breaker is open.
constexpr Seconds kToNotice(3);
constexpr size_t kOutageReaders = 2;

std::string LocalKey(size_t number) { return "local-" + std::to_string(number); }

class OutageTest : public ::testing::Test {
 protected:
  OutageTest() : directory_(::testing::TempDir() + "outage-" + std::to_string(getpid())) {
    std::filesystem::create_directory(directory_);
  }
  ~OutageTest() override { std::filesystem::remove_all(directory_); }

  // LRU(LMDB) > S3, writes=behind.
  Client Open(const std::string& endpoint) {
    const Options lmdb_options = {{"map_size", "256MiB"}};
    Client lmdb(cs_lmdb_new(directory_.c_str(), nullptr, lmdb_options.handle, nullptr));
    Client lru(cs_lru_new(lmdb.get(), uint64_t{1} << 27, nullptr, nullptr));
    const Client s3 = S3With("outage", {{"endpoint", endpoint}});
    cs_store* const links[] = {lru.get(), s3.get()};
    const Options behind = {{"writes", "behind"}};
    return Client(cs_chain_new(links, 2, behind.handle, nullptr));
  }

  void Read(Client& store, size_t first) {
    for (size_t at = first; !stop_; ++at) {
      const Reply reply = store.Get(LocalKey(at % kLocal));
      if (!reply.ok() || reply.value != "value") ++wrong_reads_;
      ++reads_;
    }
  }

  // Each writer has its keys; what it wrote last must be there in the end.
  void Write(Client& store, size_t writer, std::map<std::string, std::string>* last) {
    for (size_t at = 0; !stop_; ++at) {
      const std::string key = "w" + std::to_string(writer) + "-" + std::to_string(at % 100);
      const std::string value = std::to_string(at);
      if (store.Put(key, value).ok()) {
        (*last)[key] = value;
      } else {
        ++failed_writes_;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }

  double ReadsPerSecond(Seconds span) {
    const size_t before = reads_;
    std::this_thread::sleep_for(span);
    return static_cast<double>(reads_ - before) / static_cast<double>(span.count());
  }

  const std::string directory_;
  std::atomic<bool> stop_{false};
  std::atomic<size_t> reads_{0}, wrong_reads_{0}, failed_writes_{0};
};

TEST_F(OutageTest, IsFeltByNobodyWhoReadsWhatIsLocal) {
  const char* const wanted = getenv("CHAINSTORE_OUTAGE_SECONDS");
  if (!HasS3() || !wanted) GTEST_SKIP() << "needs a server, and time";
  const Seconds outage(atoi(wanted));
  const std::string server = getenv("S3_ENDPOINT");
  Forwarder forwarder(static_cast<uint16_t>(atoi(server.c_str() + server.rfind(':') + 1)));
  Client store = Open("http://127.0.0.1:" + std::to_string(forwarder.port()));
  for (size_t i = 0; i < kLocal; ++i) ASSERT_TRUE(store.Put(LocalKey(i), "value").ok());
  ASSERT_TRUE(store.Flush().ok());

  std::map<std::string, std::string> last[kOutageWriters];
  std::vector<std::thread> threads;
  for (size_t i = 0; i < kOutageReaders; ++i)
    threads.emplace_back([&, i] { Read(store, i * 100); });
  for (size_t i = 0; i < kOutageWriters; ++i) {
    threads.emplace_back([&, i] { Write(store, i, &last[i]); });
  }
  const double healthy = ReadsPerSecond(Seconds(5));
  forwarder.SetUp(false);
  std::this_thread::sleep_for(kToNotice);
  const size_t burst = forwarder.refused();
  const double broken = ReadsPerSecond(outage - kToNotice);
  const size_t asked = forwarder.refused() - burst;
  forwarder.SetUp(true);
  const double after = ReadsPerSecond(Seconds(5));
  stop_ = true;
  for (std::thread& thread : threads) thread.join();
  const auto begin = Clock::now();
  const Reply flushed = store.Flush();
  const auto drained = std::chrono::duration_cast<Seconds>(Clock::now() - begin);

  std::cout << "reads/s before " << healthy << ", during " << broken << ", after " << after
            << "; S3 was asked " << burst << " times at once, then " << asked << " times in "
            << (outage - kToNotice).count() << " s; drained within " << drained.count() << " s\n";
  EXPECT_TRUE(flushed.ok()) << flushed.message;
  EXPECT_EQ(wrong_reads_, 0u);
  EXPECT_EQ(failed_writes_, 0u) << "the queue has room for all";
  // The writes cost less then, not more: the machine's own noise is all that may be missing.
  EXPECT_GE(broken, healthy * 0.7);
  EXPECT_LT(asked, static_cast<size_t>((outage - kToNotice).count())) << "a probe a second";
  EXPECT_TRUE(store.Close().ok());
  Client direct = S3With("outage", {});
  for (const auto& each : last) {
    for (const auto& [key, value] : each) EXPECT_EQ(direct.Get(key).value, value) << key;
  }
  EXPECT_TRUE(direct.Close().ok());
}

}  // namespace
}  // namespace contract
