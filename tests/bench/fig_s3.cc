// Figures 21 to 25: the S3 store against libcurl alone, both at a server on loopback that always
// has the same value, over http and https; the memory that large values take beside themselves;
// what a signature costs against libcurl's own; what a delay of 20 ms leaves; how many requests an
// operation is.
#include "figures.h"
#include "product.h"

#if defined(BENCH_WITH_S3)
#include <unistd.h>

#include "bare_curl.h"
#include "static_server.h"
#include "stores/s3/sigv4.h"

namespace bench {
namespace {

namespace s3 = chainstore::s3;
constexpr size_t kSmall = 1024;
constexpr size_t kLarge = size_t{8} << 20;

Handle OpenAt(const StaticServer& server, uint32_t connections, const OptionList& more = {}) {
  OptionList options = {{"endpoint", server.endpoint()},
                        {"region", "us-east-1"},
                        {"access_key", "AKIDEXAMPLE"},
                        {"secret_key", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"},
                        {"connections", std::to_string(connections)}};
  options.insert(options.end(), more.begin(), more.end());
  return OpenS3("bucket", options);
}

// Runs so many calls that `start(call)` starts, `in_flight` of them at any time, and lets go of
// their results, or keeps them.
template <class Start>
void RunMany(uint32_t in_flight, uint64_t count, Start start, cs_status expected = CS_OK,
             std::vector<cs_result>* kept = nullptr) {
  cs_error* error = nullptr;
  cs_queue* queue = cs_queue_new(in_flight, &error);
  if (!queue) Die(cs_error_message(error));
  cs_call call = CS_CALL_INIT;
  call.queue = queue;
  std::vector<cs_result> results(in_flight);
  uint64_t started = 0;
  for (uint64_t done = 0; done < count;) {
    for (; started < count && started - done < in_flight; ++started) {
      if (start(&call) != CS_OK) Die("a call was refused");
    }
    size_t taken = 0;
    cs_queue_take(queue, results.data(), in_flight, CS_FOREVER, &taken);
    for (size_t at = 0; at < taken; ++at) {
      if (results[at].status != expected) Die("a call had another answer");
      kept ? kept->push_back(results[at]) : cs_result_release(&results[at]);
    }
    done += taken;
  }
  cs_queue_unref(queue);
}

void GetMany(cs_store* store, const std::string& key, uint32_t in_flight, uint64_t count,
             cs_status expected = CS_OK) {
  RunMany(
      in_flight, count,
      [&](const cs_call* call) {
        return cs_get(store, key.data(), key.size(), call, nullptr, nullptr);
      },
      expected);
}

void SmallGets() {
  constexpr uint32_t kInFlight = 32;
  const StaticServer server(kSmall);
  const Handle ours = OpenAt(server, kInFlight);
  BareCurl bare(server.endpoint() + "/bucket/k", kInFlight);
  const uint64_t gets = settings().quick ? 2'000 : 20'000;
  Compare(
      "21", "S3 GET 1 KiB signed, 32 in flight", AtLeast(0.85, 0.95), "bare curl multi",
      [&] {
        return Timed(Time::kWall, 1, gets, [&](int) { GetMany(ours.get(), "k", kInFlight, gets); });
      },
      [&] { return Timed(Time::kWall, 1, gets, [&](int) { bare.Run(gets); }); });
}

// ---- Figure 22 ----

// A get as curl signs it, or as it sends it unsigned: what it costs more is its signature.
class CurlGet {
 public:
  CurlGet(const std::string& url, bool is_signed) : easy_(curl_easy_init()) {
    curl_easy_setopt(easy_, CURLOPT_URL, url.c_str());
    curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, Ignore);
    if (!is_signed) return;
    curl_easy_setopt(easy_, CURLOPT_AWS_SIGV4, "aws:amz:us-east-1:s3");
    curl_easy_setopt(easy_, CURLOPT_USERPWD, "AKIDEXAMPLE:wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLE");
  }
  ~CurlGet() { curl_easy_cleanup(easy_); }
  CurlGet(const CurlGet&) = delete;
  CurlGet& operator=(const CurlGet&) = delete;
  void Run() {
    if (curl_easy_perform(easy_) != CURLE_OK) Die("curl failed");
  }

 private:
  static size_t Ignore(char*, size_t, size_t size, void*) { return size; }
  CURL* const easy_;
};

void Sign(s3::SigningKeys* keys, const s3::Secret& secret) {
  const s3::Scope scope{s3::SigningTime(1'764'000'000'000), "us-east-1"};
  const s3::Headers headers = {{"host", "127.0.0.1:9000"},
                               {"x-amz-content-sha256", std::string(s3::kEmptySha256)},
                               {"x-amz-date", std::string(scope.time.stamp())}};
  Keep(s3::Authorization(*keys, "AKIDEXAMPLE", secret, scope,
                         {"GET", "/bucket/k", "", &headers, s3::kEmptySha256})
           .size());
}

void Signatures() {
  const StaticServer server(kSmall);
  CurlGet plain(server.endpoint() + "/bucket/k", false);
  CurlGet with_signature(server.endpoint() + "/bucket/k", true);
  s3::SigningKeys keys;
  const s3::Secret secret(std::string_view("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"));
  const uint64_t signatures = settings().quick ? 2'000 : 20'000;
  const uint64_t gets = settings().quick ? 500 : 5'000;
  const auto run = [&](CurlGet* get) {
    return Timed(Time::kProcessor, 1, gets, [&](int) {
      for (uint64_t at = 0; at < gets; ++at) get->Run();
    });
  };
  Compare(
      "22", "CPU of a signature", AtLeast(10, 20), "curl's own SigV4",
      [&] {
        return Timed(Time::kProcessor, 1, signatures, [&](int) {
          for (uint64_t at = 0; at < signatures; ++at) Sign(&keys, secret);
        });
      },
      [&] { return run(&with_signature) - run(&plain); });
}

// ---- Figures 23 to 25 ----

uint64_t LargeCount() { return settings().quick ? 10 : 50; }

void LargeGets(const std::string& what, const StaticServer& server, const OptionList& options,
               const std::string& ca_file) {
  const Handle ours = OpenAt(server, 4, options);
  BareCurl bare(server.endpoint() + "/bucket/k", 1, nullptr, ca_file);
  const uint64_t count = LargeCount();
  Compare(
      "23", what, AtLeast(0.9, 0.95), "bare curl multi",
      [&] {
        return Timed(Time::kWall, 1, count, [&](int) {
          for (uint64_t at = 0; at < count; ++at) GetHit(ours.get(), "k", 1);
        });
      },
      [&] { return Timed(Time::kWall, 1, count, [&](int) { bare.Run(count); }); });
}

// Puts of different keys, `in_flight` of them at any time on both sides. The values are shared with
// the store, not copied, as curl's are.
void LargePuts(const std::string& what, const StaticServer& server, uint32_t in_flight,
               const OptionList& options, const std::string& ca_file) {
  const Handle ours = OpenAt(server, 4, options);
  const std::string bytes(kLarge, 'v');
  cs_value* const value = cs_value_wrap(bytes.data(), bytes.size(), nullptr, nullptr, nullptr);
  BareCurl bare(server.endpoint() + "/bucket/k", in_flight, &bytes, ca_file);
  const uint64_t count = LargeCount();
  uint64_t next = 0;
  Compare(
      "23", what, AtLeast(0.85, 0.95), "bare curl multi",
      [&] {
        return Timed(Time::kWall, 1, count, [&](int) {
          RunMany(in_flight, count, [&](const cs_call* call) {
            const std::string key = "k" + std::to_string(next++ % 64);
            return cs_put_value(ours.get(), key.data(), key.size(), value, call, nullptr, nullptr);
          });
        });
      },
      [&] { return Timed(Time::kWall, 1, count, [&](int) { bare.Run(count); }); });
  cs_value_unref(value);
}

// Over http the signature covers the SHA-256 of all that is put, for without TLS nothing else shows
// that a value was cut off on its way: it must be there before the first byte goes out. One put
// after the other can so never be faster than both together; how near it comes is the figure. What
// is left of it where puts overlap, and over https, are the rows above.
void HashedPuts(const StaticServer& server) {
  const Handle ours = OpenAt(server, 4);
  const std::string value(kLarge, 'v');
  BareCurl bare(server.endpoint() + "/bucket/k", 1, &value);
  const uint64_t count = LargeCount();
  double hash_ns = 0, bare_ns = 0;
  const auto timed = [count](const std::function<void()>& body) {
    return Timed(Time::kWall, 1, count, [&](int) {
      for (uint64_t at = 0; at < count; ++at) body();
    });
  };
  Compare(
      "23", "PUT 8 MiB, http, one by one", AtLeast(0.85, 0.95), "SHA-256, then bare curl multi",
      [&] { return timed([&] { PutOrDie(ours.get(), "k", value); }); },
      [&] {
        hash_ns = timed([&] { Keep(s3::Sha256(value)[0]); });
        bare_ns = Timed(Time::kWall, 1, count, [&](int) { bare.Run(count); });
        return hash_ns + bare_ns;
      });
  Note("of that SHA-256 " + std::to_string(static_cast<int>(hash_ns / 1e3)) + " us, curl " +
       std::to_string(static_cast<int>(bare_ns / 1e3)) + " us: at most " +
       std::to_string(bare_ns / (hash_ns + bare_ns)).substr(0, 4) + " of curl alone");
}

void LargeValues() {
  const StaticServer plain(kLarge);
  const TlsIdentity identity;
  const StaticServer tls(kLarge, 0, &identity);
  // As with AWS, where the name of the host is not the user's own.
  const OptionList over_tls = {{"ca_file", identity.file()}, {"payload", "unsigned"}};
  LargeGets("S3 GET 8 MiB", plain, {}, "");
  LargeGets("S3 GET 8 MiB, https", tls, over_tls, identity.file());
  LargePuts("S3 PUT 8 MiB, https", tls, 1, over_tls, identity.file());
  LargePuts("S3 PUT 8 MiB, https, 4 in flight", tls, 4, over_tls, identity.file());
  LargePuts("S3 PUT 8 MiB, http, 4 in flight", plain, 4, {}, "");
  HashedPuts(plain);
}

// What the store takes beside the values themselves, which the caller holds: the buffers of the
// connections, however much is under way.
void Memory() {
  const size_t size = size_t{64} << 20;
  const uint32_t calls = settings().quick ? 8 : 32;
  constexpr double kMiB = 1 << 20;
  const StaticServer server(size);
  const Handle store = OpenAt(server, 64);
  const Goal most = AtMost(64, 32);  // the pool of 64 connections: half a MiB each, either way
  {
    const std::string bytes(size, 'v');
    cs_value* const value = cs_value_wrap(bytes.data(), bytes.size(), nullptr, nullptr, nullptr);
    const PeakMemory peak;
    uint64_t next = 0;
    RunMany(calls, calls, [&](const cs_call* call) {
      const std::string key = "k" + std::to_string(next++);
      return cs_put_value(store.get(), key.data(), key.size(), value, call, nullptr, nullptr);
    });
    Number("23m", "memory of parallel 64 MiB puts", most, double(peak.Grown()) / kMiB, "MiB",
           "of " + std::to_string(calls));
    cs_value_unref(value);
  }
  std::vector<cs_result> kept;
  const PeakMemory peak;
  RunMany(
      calls, calls,
      [&](const cs_call* call) { return cs_get(store.get(), "k", 1, call, nullptr, nullptr); },
      CS_OK, &kept);
  const double beyond = double(peak.Grown()) - double(size) * calls;
  Number("23m", "memory of parallel 64 MiB gets", most, beyond / kMiB, "MiB",
         "of " + std::to_string(calls) + ", without the values");
  for (cs_result& result : kept) cs_result_release(&result);
}

void Delayed() {
  constexpr uint32_t kConnections = 32;
  constexpr int64_t kDelayUs = 20'000;
  const StaticServer prompt(kSmall);
  const StaticServer slow(kSmall, kDelayUs);
  const Handle at_prompt = OpenAt(prompt, kConnections);
  const Handle at_slow = OpenAt(slow, kConnections);
  const uint64_t gets = settings().quick ? 1'000 : 5'000;
  Compare(
      "24", "S3 requests/s with 20 ms delay, 32 connections", AtLeast(0.95, 0.98),
      "32 / (delay + service time)",
      [&] {
        return Timed(Time::kWall, 1, gets,
                     [&](int) { GetMany(at_slow.get(), "k", kConnections, gets); });
      },
      [&] {
        const double service_ns = Timed(Time::kWall, 1, gets, [&](int) {
          for (uint64_t at = 0; at < gets; ++at) GetHit(at_prompt.get(), "k", 1);
        });
        return (static_cast<double>(kDelayUs) * 1000 + service_ns) / kConnections;
      });
}

void Requests() {
  constexpr uint32_t kCalls = 1000;
  // The answer takes long enough for all of them to be under way.
  const StaticServer server(kSmall, 500'000);
  const Handle memory = OpenMemory(uint64_t{64} << 20);
  const Handle s3 = OpenAt(server, 64);
  const Handle chain = OpenChain({memory.get(), s3.get()});
  uint64_t before = 0;
  const auto since = [&] {
    return static_cast<double>(server.requests() - std::exchange(before, server.requests()));
  };
  since();
  GetMany(chain.get(), "missing", kCalls, kCalls, CS_NOT_FOUND);
  Number("25", "requests of 1,000 gets of a missing key", AtMost(1, 1), since(), "requests");
  GetHit(chain.get(), "cold", 4);
  Number("25", "requests of a cold get", AtMost(1, 1), since(), "requests");
  PutOrDie(chain.get(), "k", "v");
  if (cs_flush_sync(chain.get(), nullptr, 0, nullptr, nullptr) != CS_OK) Die("a flush failed");
  Number("25", "requests of a put", AtMost(1, 1), since(), "requests");
  const unsigned idle_seconds = settings().quick ? 3 : 60;
  sleep(idle_seconds);
  Number("25", "requests of an idle minute", AtMost(0, 0), since(), "requests");
}

}  // namespace

void S3Figures() {
  if (Wanted(21)) SmallGets();
  if (Wanted(22)) Signatures();
  if (Wanted(23)) {
    LargeValues();
    Memory();
  }
  if (Wanted(24)) Delayed();
  if (Wanted(25)) Requests();
}

}  // namespace bench

#else
namespace bench {

void S3Figures() {
  for (const int figure : {21, 22, 23, 24, 25}) {
    if (Wanted(figure)) NotInThisBuild(std::to_string(figure).c_str(), "S3");
  }
}

}  // namespace bench
#endif
