#include "text/scheme.h"

#include <unistd.h>

#include <algorithm>

#include "chain/chain.h"
#include "managers/fault/fault.h"
#include "managers/key_hash/key_hash.h"
#include "managers/logging/logging.h"
#include "managers/lru/lru.h"
#include "managers/metrics/metrics.h"
#include "managers/timeout/timeout.h"
#include "managers/write_behind/write_behind.h"
#include "stores/filesystem/filesystem_store.h"
#include "stores/leveldb/leveldb_options.h"
#include "stores/lmdb/lmdb_store.h"
#include "stores/memory/memory_store.h"
#include "stores/s3/s3_options.h"
#ifdef CHAINSTORE_WITH_LEVELDB
#include "stores/leveldb/leveldb_store.h"
#endif
#ifdef CHAINSTORE_WITH_S3
#include "stores/s3/s3_store.h"
#endif

namespace chainstore::text {
namespace {

using Type = OptionSpec::Type;
using Form = Scheme::Form;
using Parts = Scheme::Parts;
using NewStore = Result<Ref<Store>>;

// ---- Arguments of the constructors ----

constexpr OptionSpec kMemoryArguments[] = {
    {"max_bytes", Type::kSize, "1TiB",
     "the most that it takes; the default is as good as no limit"},
};
constexpr OptionSpec kDirectoryArguments[] = {
    {"directory", Type::kText, nullptr, "where it is kept; made if it is not there"},
};
constexpr OptionSpec kLmdbArguments[] = {
    {"path", Type::kText, nullptr, "a directory, made if it is not there, or an LMDB file"},
    {"bucket", Type::kText, "",
     "the named database; none: chainstore, with format=raw the unnamed"},
};
constexpr OptionSpec kS3Arguments[] = {
    {"bucket", Type::kText, nullptr, "the bucket, which must be there"},
};
constexpr OptionSpec kLruArguments[] = {
    {"max_bytes", Type::kSize, nullptr, "the capacity: the most that the entries may take"},
};
constexpr OptionSpec kMetricsArguments[] = {
    {"name", Type::kText, nullptr, "the label of its numbers"},
};
constexpr OptionSpec kKeyHashArguments[] = {
    {"digest", Type::kChoice, nullptr, "what stands for a key", "sha256|xxh3-128"},
};
constexpr OptionSpec kTimeoutArguments[] = {
    {"timeout", Type::kDuration, nullptr, "the limit of one operation"},
};
constexpr OptionSpec kLogArguments[] = {
    {"to", Type::kChoice, "stderr", "where the lines go", "stderr"},
};

// ---- How each is made from its parts: arguments have been checked ----

uint64_t SizeAt(const Parts& parts, size_t index) { return *ParseSize(parts.arguments[index]); }

NewStore MakeMemory(const Parts& parts) { return NewMemoryStore(SizeAt(parts, 0), &parts.options); }
NewStore MakeFilesystem(const Parts& parts) {
  return NewFilesystemStore(parts.arguments[0], &parts.options);
}
#ifdef CHAINSTORE_WITH_LMDB
NewStore MakeLmdb(const Parts& parts) {
  const std::string& bucket = parts.arguments[1];
  return NewLmdbStore(parts.arguments[0], bucket.empty() ? nullptr : bucket.c_str(),
                      &parts.options);
}
#else
constexpr NewStore (*MakeLmdb)(const Parts&) = nullptr;
#endif
#ifdef CHAINSTORE_WITH_LEVELDB
NewStore MakeLevelDb(const Parts& parts) {
  return NewLevelDbStore(parts.arguments[0], &parts.options);
}
#else
constexpr NewStore (*MakeLevelDb)(const Parts&) = nullptr;
#endif
#ifdef CHAINSTORE_WITH_S3
NewStore MakeS3(const Parts& parts) { return NewS3Store(parts.arguments[0], &parts.options); }
#else
constexpr NewStore (*MakeS3)(const Parts&) = nullptr;
#endif
NewStore MakeLru(const Parts& parts) {
  return NewLru(parts.inner[0], SizeAt(parts, 0), &parts.options);
}
NewStore MakeTimeout(const Parts& parts) {
  return NewTimeout(parts.inner[0], *ParseDurationMs(parts.arguments[0]), &parts.options);
}
NewStore MakeMetrics(const Parts& parts) {
  return NewMetrics(parts.inner[0], parts.arguments[0], &parts.options);
}
NewStore MakeKeyHash(const Parts& parts) {
  return NewKeyHash(parts.inner[0], parts.arguments[0], &parts.options);
}
NewStore MakeBehind(const Parts& parts) { return NewWriteBehind(parts.inner[0], &parts.options); }
NewStore MakeFault(const Parts& parts) { return NewFault(parts.inner[0], &parts.options); }
NewStore MakeChain(const Parts& parts) { return NewChain(parts.inner, &parts.options); }

void LogToStderr(void*, int32_t, const char* message, size_t size) {
  // One write: lines of several threads do not mix.
  const std::string line = std::string(message, size) + "\n";
  (void)!write(STDERR_FILENO, line.data(), line.size());
}
NewStore MakeLog(const Parts& parts) {
  NewStore made = NewLogging(parts.inner[0], {&LogToStderr, nullptr, nullptr}, &parts.options);
  if (made.ok()) (*made)->NoteRecipe({"to", "stderr"});
  return made;
}

// ---- The table ----

constexpr Scheme kSchemes[] = {
    {"memory", Form::kPlain, "cs_memory_new", "a map in memory", kMemoryArguments, kMemoryOptions,
     MakeMemory},
    {"file", Form::kPath, "cs_filesystem_new", "one file per key below a directory",
     kDirectoryArguments, kFilesystemOptions, MakeFilesystem},
    {"lmdb", Form::kPath, "cs_lmdb_new", "one bucket of an LMDB file", kLmdbArguments, kLmdbOptions,
     MakeLmdb},
    {"leveldb", Form::kPath, "cs_leveldb_new", "a LevelDB database", kDirectoryArguments,
     kLevelDbOptions, MakeLevelDb},
    {"s3", Form::kBucket, "cs_s3_new", "a bucket of S3, or of a server that speaks its protocol",
     kS3Arguments, kS3Options, MakeS3},
    {"lru", Form::kManager, "cs_lru_new", "keeps only the most recently used entries of a store",
     kLruArguments, kLruOptions, MakeLru},
    {"behind",
     Form::kManager,
     "cs_write_behind_new",
     "acknowledges writes from a queue, and delivers them in the background",
     {},
     kWriteBehindOptions,
     MakeBehind},
    {"timeout", Form::kManager, "cs_timeout_new", "limits the time of each operation",
     kTimeoutArguments, kTimeoutOptions, MakeTimeout},
    {"metrics", Form::kManager, "cs_metrics_new", "counts and times each operation",
     kMetricsArguments, kMetricsOptions, MakeMetrics},
    {"log", Form::kManager, "cs_logging_new", "writes a line for each operation", kLogArguments,
     kLoggingOptions, MakeLog},
    {"hash", Form::kManager, "cs_key_hash_new", "digests of fixed length for keys",
     kKeyHashArguments, kKeyHashOptions, MakeKeyHash},
    {"fault",
     Form::kManager,
     "cs_fault_new",
     "injects errors and delays, for tests",
     {},
     kFaultOptions,
     MakeFault},
    {"chain",
     Form::kChain,
     "cs_chain_new",
     "stores as one, the fastest first",
     {},
     kChainOptions,
     MakeChain,
     kWriteBehindOptions},
};

const OptionSpec* FindIn(std::span<const OptionSpec> specs, std::string_view name) {
  const auto found = std::find_if(specs.begin(), specs.end(),
                                  [name](const OptionSpec& spec) { return name == spec.name; });
  return found == specs.end() ? nullptr : &*found;
}

std::string Capitals(std::string text) {
  for (char& each : text) {
    if (each >= 'a' && each <= 'z') each = static_cast<char>(each - 'a' + 'A');
  }
  return text;
}

std::string UsageOf(const Scheme& scheme) {
  const std::string name = scheme.name;
  switch (scheme.form) {
    case Form::kPlain:
      return name + ":";
    case Form::kPath:
      return name + ":" + Capitals(scheme.arguments[0].name);
    case Form::kBucket:
      return name + "://BUCKET/PREFIX";
    case Form::kManager: {
      std::string usage = name + "(";
      for (const OptionSpec& argument : scheme.arguments) {
        usage += Capitals(argument.name) + ", ";
      }
      return usage + "STORE)";
    }
    case Form::kChain:
      return "STORE > STORE";
  }
  return name;
}

const char* KindOf(const Scheme& scheme) {
  if (scheme.is_store()) return "store";
  return scheme.form == Form::kManager ? "manager" : "chain";
}

void AddRows(const Scheme& scheme, const char* kind, std::span<const OptionSpec> specs,
             std::string* table) {
  for (const OptionSpec& spec : specs) {
    *table += std::string(kind) + "\t" + scheme.name + "\t" + spec.name + "\t" + FormOf(spec) +
              "\t" + (spec.default_text ? spec.default_text : "") + "\t" +
              (spec.default_text ? "optional" : "required") + "\t" + spec.help + "\n";
  }
}

}  // namespace

const OptionSpec* Scheme::Find(std::string_view option) const noexcept {
  for (const auto specs : {arguments, options, passed_on}) {
    if (const OptionSpec* found = FindIn(specs, option)) return found;
  }
  return nullptr;
}

std::span<const Scheme> Schemes() { return kSchemes; }

const Scheme* FindScheme(std::string_view name) {
  for (const Scheme& scheme : kSchemes) {
    if (name == scheme.name) return &scheme;
  }
  return nullptr;
}

std::string FormOf(const OptionSpec& spec) {
  switch (spec.type) {
    case Type::kText:
      return "text";
    case Type::kSecret:
      return "secret";
    case Type::kSize:
      return "size";
    case Type::kDuration:
      return "duration";
    case Type::kCount:
      return "number";
    case Type::kFlag:
      return "true|false";
    case Type::kPercent:
      return "percent";
    case Type::kChoice:
      return spec.choices;
  }
  return "";
}

std::string SchemeTable() {
  std::string table;
  for (const Scheme& scheme : kSchemes) {
    table += std::string(KindOf(scheme)) + "\t" + scheme.name + "\t" + scheme.constructor + "\t" +
             (scheme.make ? "yes" : "no") + "\t" + UsageOf(scheme) + "\t-\t" + scheme.help + "\n";
    AddRows(scheme, "argument", scheme.arguments, &table);
    AddRows(scheme, "option", scheme.options, &table);
  }
  return table;
}

}  // namespace chainstore::text
