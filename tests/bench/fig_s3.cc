// Figures 21 to 25: the S3 store against libcurl alone, both at a server on loopback that always
// has the same value; what a signature costs against libcurl's own; what a delay of 20 ms leaves;
// how many requests an operation is.
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

Handle OpenAt(const StaticServer& server, uint32_t connections) {
  return OpenS3("bucket", {{"endpoint", server.endpoint()},
                           {"region", "us-east-1"},
                           {"access_key", "AKIDEXAMPLE"},
                           {"secret_key", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"},
                           {"connections", std::to_string(connections)}});
}

// So many gets of one key, `in_flight` of them at any time.
void GetMany(cs_store* store, const std::string& key, uint32_t in_flight, uint64_t count,
             cs_status expected = CS_OK) {
  cs_error* error = nullptr;
  cs_queue* queue = cs_queue_new(in_flight, &error);
  if (!queue) Die(cs_error_message(error));
  cs_call call = CS_CALL_INIT;
  call.queue = queue;
  std::vector<cs_result> results(in_flight);
  uint64_t started = 0;
  for (uint64_t done = 0; done < count;) {
    for (; started < count && started - done < in_flight; ++started) {
      if (cs_get(store, key.data(), key.size(), &call, nullptr, nullptr) != CS_OK) {
        Die("a get was refused");
      }
    }
    size_t taken = 0;
    cs_queue_take(queue, results.data(), in_flight, CS_FOREVER, &taken);
    for (size_t at = 0; at < taken; ++at) {
      if (results[at].status != expected) Die("a get had another answer");
      cs_result_release(&results[at]);
    }
    done += taken;
  }
  cs_queue_unref(queue);
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

void LargeValues() {
  const StaticServer server(kLarge);
  const Handle ours = OpenAt(server, 4);
  const std::string value(kLarge, 'v');
  BareCurl bare_get(server.endpoint() + "/bucket/k", 1);
  BareCurl bare_put(server.endpoint() + "/bucket/k", 1, &value);
  const uint64_t count = settings().quick ? 10 : 50;
  Compare(
      "23", "S3 GET 8 MiB", AtLeast(0.9, 0.95), "bare curl multi",
      [&] {
        return Timed(Time::kWall, 1, count, [&](int) {
          for (uint64_t at = 0; at < count; ++at) GetHit(ours.get(), "k", 1);
        });
      },
      [&] { return Timed(Time::kWall, 1, count, [&](int) { bare_get.Run(count); }); });
  // Over http the signature covers the SHA-256 of all that is put: without TLS nothing else shows
  // that a value was cut off on its way.
  Compare(
      "23", "S3 PUT 8 MiB", AtLeast(0.85, 0.95), "bare curl multi",
      [&] {
        return Timed(Time::kWall, 1, count, [&](int) {
          for (uint64_t at = 0; at < count; ++at) PutOrDie(ours.get(), "k", value);
        });
      },
      [&] { return Timed(Time::kWall, 1, count, [&](int) { bare_put.Run(count); }); });
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
  if (Wanted(23)) LargeValues();
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
