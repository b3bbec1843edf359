// The stores that the suite is run against.
#include <filesystem>

#include "contract/custom_subject.h"
#include "contract/s3_subject.h"
#include "contract/subject.h"

namespace contract {
namespace {

constexpr uint64_t kMany = uint64_t{1} << 30;  // bytes: nothing is ever evicted

Client Made(cs_store* store, cs_error* error) {
  if (!store) {
    ADD_FAILURE() << (error ? cs_error_message(error) : "no error");
    cs_error_unref(error);
  }
  return Client(store);
}

Client Memory() {
  cs_error* error = nullptr;
  cs_store* store = cs_memory_new(kMany, nullptr, &error);
  return Made(store, error);
}

Client Files(const std::string& directory) {
  cs_error* error = nullptr;
  cs_store* store = cs_filesystem_new((directory + "/files").c_str(), nullptr, &error);
  return Made(store, error);
}

Client Lmdb(const std::string& directory) {
  // Small maps: sanitizers cannot reserve the default one for every test.
  const Options options = {{"map_size", "256MiB"}};
  cs_error* error = nullptr;
  cs_store* store = cs_lmdb_new((directory + "/lmdb").c_str(), nullptr, options.handle, &error);
  return Made(store, error);
}

Client LevelDb(const std::string& directory) {
  cs_error* error = nullptr;
  cs_store* store = cs_leveldb_new((directory + "/leveldb").c_str(), nullptr, &error);
  return Made(store, error);
}

Client Lru(Client inner, const char* policy = "lru") {
  const Options options = {{"policy", policy}};
  cs_error* error = nullptr;
  cs_store* store = cs_lru_new(inner.get(), kMany / 8, options.handle, &error);
  return Made(store, error);
}

Client Behind(Client inner) {
  cs_error* error = nullptr;
  cs_store* store = cs_write_behind_new(inner.get(), nullptr, &error);
  return Made(store, error);
}

// A manager around what `open` makes; all options at their defaults.
Client Managed(const std::string& manager, Client inner) {
  cs_error* error = nullptr;
  cs_store* store = nullptr;
  if (manager == "Timeout") store = cs_timeout_new(inner.get(), 600'000, nullptr, &error);
  if (manager == "Metrics") store = cs_metrics_new(inner.get(), "m", nullptr, &error);
  if (manager == "Logging") {
    const auto ignore = [](void*, int32_t, const char*, size_t) {};
    store = cs_logging_new(inner.get(), ignore, nullptr, nullptr, nullptr, &error);
  }
  if (manager == "Sha256") store = cs_key_hash_new(inner.get(), "sha256", nullptr, &error);
  if (manager == "Xxh3") store = cs_key_hash_new(inner.get(), "xxh3-128", nullptr, &error);
  if (manager == "Fault") store = cs_fault_new(inner.get(), nullptr, &error);
  return Made(store, error);
}

Client Chain(std::vector<Client> links, const char* writes) {
  std::vector<cs_store*> stores;
  for (const Client& link : links) stores.push_back(link.get());
  const Options options = {{"writes", writes}};
  cs_error* error = nullptr;
  cs_store* store = cs_chain_new(stores.data(), stores.size(), options.handle, &error);
  return Made(store, error);
}

std::vector<Client> List(Client a, Client b) {
  std::vector<Client> list;
  list.push_back(std::move(a));
  list.push_back(std::move(b));
  return list;
}

std::vector<Client> List(Client a, Client b, Client c) {
  std::vector<Client> list = List(std::move(a), std::move(b));
  list.push_back(std::move(c));
  return list;
}

// The managers that change nothing of what their store promises.
void AddManagers(std::vector<Subject>* all) {
  using Directory = const std::string&;
  for (const std::string manager : {"Timeout", "Metrics", "Logging", "Sha256", "Xxh3", "Fault"}) {
    const bool atomic = manager != "Xxh3";
    all->push_back({manager + "OverMemory",
                    [manager](Directory) { return Managed(manager, Memory()); }, false});
    if (cs_has("lmdb")) {
      all->push_back({manager + "OverLmdb",
                      [manager](Directory at) { return Managed(manager, Lmdb(at)); }, true,
                      atomic});
    }
    all->push_back({manager + "OverChain",
                    [manager](Directory at) {
                      return Managed(manager, Chain(List(Memory(), Files(at)), "through"));
                    },
                    true});
  }
}

// Custom stores that change nothing of what they wrap. A batch is one request per key: not atomic.
void AddCustom(std::vector<Subject>* all) {
  using Directory = const std::string&;
  using Around = Client (*)(Client);
  for (const auto& [kind, around] : {std::pair<std::string, Around>{"Forwarding", Forwarding},
                                     std::pair<std::string, Around>{"Asking", Asking}}) {
    all->push_back(
        {kind + "OverMemory", [around = around](Directory) { return around(Memory()); }, false});
    if (cs_has("lmdb")) {
      all->push_back(
          {kind + "OverLmdb", [around = around](Directory at) { return around(Lmdb(at)); }, true});
    }
    all->push_back({kind + "OverChain",
                    [around = around](Directory at) {
                      return around(Chain(List(Memory(), Files(at)), "through"));
                    },
                    true});
    all->push_back({kind + "InChain",
                    [around = around](Directory at) {
                      return Chain(List(Memory(), around(Files(at))), "behind");
                    },
                    true});
  }
}

// Against the server that the environment names.
void AddS3(std::vector<Subject>* all) {
  using Directory = const std::string&;
  all->push_back({"S3", S3, true});
  all->push_back({"MemoryThroughS3",
                  [](Directory at) { return Chain(List(Memory(), S3(at)), "through"); }, true});
  if (!cs_has("lmdb")) return;
  all->push_back({"LruOverLmdbBeforeS3",
                  [](Directory at) { return Chain(List(Lru(Lmdb(at)), S3(at)), "behind"); }, true});
}

}  // namespace

std::vector<Subject> AllSubjects() {
  using Directory = const std::string&;
  std::vector<Subject> all;
  const auto add = [&all](const char* name, auto open, bool persistent, bool atomic = false) {
    all.push_back({name, open, persistent, atomic});
  };
  add(
      "Memory", [](Directory) { return Memory(); }, false);
  add(
      "Files", [](Directory at) { return Files(at); }, true);
  if (cs_has("lmdb"))
    add(
        "Lmdb", [](Directory at) { return Lmdb(at); }, true, true);
  if (cs_has("leveldb"))
    add(
        "LevelDb", [](Directory at) { return LevelDb(at); }, true, true);
  add(
      "LruOverMemory", [](Directory) { return Lru(Memory()); }, false);
  add(
      "LruOverFiles", [](Directory at) { return Lru(Files(at)); }, true);
  if (cs_has("lmdb"))
    add(
        "LruOverLmdb", [](Directory at) { return Lru(Lmdb(at)); }, true);
  add(
      "BehindOverFiles", [](Directory at) { return Behind(Files(at)); }, true);
  add(
      "ChainOfTwoThrough", [](Directory at) { return Chain(List(Memory(), Files(at)), "through"); },
      true);
  add(
      "ChainOfTwoBehind", [](Directory at) { return Chain(List(Memory(), Files(at)), "behind"); },
      true);
  if (cs_has("lmdb")) {
    add(
        "LruOverLmdbBeforeFiles",
        [](Directory at) { return Chain(List(Lru(Lmdb(at)), Files(at)), "behind"); }, true);
    add(
        "ChainOfThree",
        [](Directory at) { return Chain(List(Memory(), Lmdb(at), Files(at)), "through"); }, true);
    add(
        "NestedChain",
        [](Directory at) {
          return Chain(List(Memory(), Chain(List(Lmdb(at), Files(at)), "through")), "behind");
        },
        true);
    add(
        "LruOverChain",
        [](Directory at) { return Lru(Chain(List(Memory(), Lmdb(at)), "through")); }, true);
  }
  add(
      "S3FifoOverMemory", [](Directory) { return Lru(Memory(), "s3fifo"); }, false);
  add(
      "S3FifoOverFiles", [](Directory at) { return Lru(Files(at), "s3fifo"); }, true);
  AddManagers(&all);
  AddCustom(&all);
  if (HasS3()) AddS3(&all);
  return all;
}

}  // namespace contract
