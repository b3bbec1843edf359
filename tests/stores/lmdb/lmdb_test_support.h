// What the LMDB store's tests share: stores with a map that fits a sanitizer's address space, and
// LMDB itself, as another program would use it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <lmdb.h>

#include <initializer_list>
#include <map>
#include <string>
#include <utility>

#include "stores/lmdb/lmdb_store.h"
#include "support/store_calls.h"
#include "support/temporary_directory.h"

namespace chainstore {

using OptionPairs = std::initializer_list<std::pair<const char*, const char*>>;

inline Options LmdbOptions(OptionPairs pairs) {
  Options options;
  options.values["map_size"] = "64MiB";
  for (const auto& [name, value] : pairs) options.values[name] = value;
  if (options.values["map_size"].empty()) options.values.erase("map_size");
  return options;
}

inline Result<Ref<Store>> TryOpenLmdb(const std::string& path, const char* bucket = nullptr,
                                      OptionPairs pairs = {}) {
  const Options options = LmdbOptions(pairs);
  return NewLmdbStore(path, bucket, &options);
}

inline Ref<Store> OpenLmdb(const std::string& path, const char* bucket = nullptr,
                           OptionPairs pairs = {}) {
  auto opened = TryOpenLmdb(path, bucket, pairs);
  EXPECT_TRUE(opened.ok()) << opened.status().ToString();
  return opened.ok() ? *opened : Ref<Store>();
}

// A store that is closed when the test ends, before its directory goes.
class OpenedLmdb {
 public:
  explicit OpenedLmdb(const std::string& path, const char* bucket = nullptr, OptionPairs pairs = {})
      : store_(OpenLmdb(path, bucket, pairs)) {}
  ~OpenedLmdb() { Close(); }
  void Close() {
    if (!store_) return;
    EXPECT_TRUE(CloseStore(*store_).ok());
    store_ = nullptr;
  }
  Store& operator*() const { return *store_; }
  Store* operator->() const { return store_.get(); }

 private:
  Ref<Store> store_;
};

inline void ExpectRefused(const Result<Ref<Store>>& opened, Code code, const std::string& message) {
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.status().code(), code) << opened.status().ToString();
  EXPECT_THAT(opened.status().ToString(), ::testing::HasSubstr(message));
  EXPECT_THAT(opened.status().ToString(), ::testing::HasSubstr("lmdb:"));
}

inline void ExpectFailed(const Status& status, Code code, const std::string& message) {
  EXPECT_EQ(status.code(), code) << status.ToString();
  EXPECT_THAT(status.ToString(), ::testing::HasSubstr(message));
  EXPECT_THAT(status.ToString(), ::testing::HasSubstr("lmdb:"));
}

// Another program with a database of its own: one transaction per call.
class PlainLmdb {
 public:
  explicit PlainLmdb(const std::string& path, unsigned flags = 0) {
    EXPECT_EQ(mdb_env_create(&env_), 0);
    mdb_env_set_maxdbs(env_, 16);
    mdb_env_set_mapsize(env_, size_t{64} << 20);
    EXPECT_EQ(mdb_env_open(env_, path.c_str(), flags, 0666), 0);
  }
  ~PlainLmdb() { mdb_env_close(env_); }
  PlainLmdb(const PlainLmdb&) = delete;
  PlainLmdb& operator=(const PlainLmdb&) = delete;

  // `database` null: the unnamed one.
  void Put(const char* database, const std::string& key, const std::string& value,
           unsigned database_flags = 0) {
    MDB_txn* txn;
    MDB_dbi dbi;
    ASSERT_EQ(mdb_txn_begin(env_, nullptr, 0, &txn), 0);
    ASSERT_EQ(mdb_dbi_open(txn, database, database_flags | (database ? MDB_CREATE : 0), &dbi), 0);
    MDB_val k = {key.size(), const_cast<char*>(key.data())};
    MDB_val v = {value.size(), const_cast<char*>(value.data())};
    ASSERT_EQ(mdb_put(txn, dbi, &k, &v, 0), 0);
    ASSERT_EQ(mdb_txn_commit(txn), 0);
  }
  std::map<std::string, std::string> All(const char* database) {
    std::map<std::string, std::string> all;
    MDB_txn* txn;
    MDB_dbi dbi;
    MDB_cursor* cursor;
    EXPECT_EQ(mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn), 0);
    if (mdb_dbi_open(txn, database, 0, &dbi) == 0) {
      EXPECT_EQ(mdb_cursor_open(txn, dbi, &cursor), 0);
      MDB_val k, v;
      while (mdb_cursor_get(cursor, &k, &v, MDB_NEXT) == 0) {
        all[std::string(static_cast<char*>(k.mv_data), k.mv_size)] =
            std::string(static_cast<char*>(v.mv_data), v.mv_size);
      }
      mdb_cursor_close(cursor);
    }
    mdb_txn_abort(txn);
    return all;
  }
  MDB_env* env() const { return env_; }

 private:
  MDB_env* env_ = nullptr;
};

}  // namespace chainstore
