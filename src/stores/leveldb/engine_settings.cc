#include "stores/leveldb/engine_settings.h"

#include <leveldb/table_builder.h>

namespace chainstore {
namespace {

struct Bounds {
  const char* option;
  uint64_t least;
  uint64_t most;
};
// LevelDB's own (SanitizeOptions), and for the last two what makes sense.
constexpr Bounds kBounds[] = {{"write_buffer_size", uint64_t{64} << 10, uint64_t{1} << 30},
                              {"max_open_files", 74, 50'000},
                              {"block_size", uint64_t{1} << 10, uint64_t{4} << 20},
                              {"block_cache", 0, uint64_t{1} << 40},
                              {"bloom_bits", 0, 64}};

class NullFile final : public leveldb::WritableFile {
 public:
  leveldb::Status Append(const leveldb::Slice&) override { return leveldb::Status::OK(); }
  leveldb::Status Close() override { return leveldb::Status::OK(); }
  leveldb::Status Flush() override { return leveldb::Status::OK(); }
  leveldb::Status Sync() override { return leveldb::Status::OK(); }
};

bool ProbeSnappy() {
  leveldb::Options options;
  options.compression = leveldb::kSnappyCompression;
  NullFile file;
  leveldb::TableBuilder builder(options, &file);
  const std::string zeros(4096, '\0');
  builder.Add("k", zeros);
  return builder.Finish().ok() && builder.FileSize() < zeros.size();
}

}  // namespace

bool EngineHasSnappy() {
  static const bool has = ProbeSnappy();
  return has;
}

Status ReadEngineOptions(const std::string& store, const OptionValues& values,
                         DatabaseSettings* settings) {
  for (const Bounds& bounds : kBounds) {
    const uint64_t value = values.Number(bounds.option);
    if (value >= bounds.least && value <= bounds.most) continue;
    const std::string what = "option '" + std::string(bounds.option) +
                             "': " + std::to_string(value) + " is not between " +
                             std::to_string(bounds.least) + " and " + std::to_string(bounds.most);
    return Failure(Code::kInvalid, what).Store(store).Op("open");
  }
  leveldb::Options& options = settings->options;
  options.write_buffer_size = values.Number("write_buffer_size");
  options.max_open_files = static_cast<int>(values.Number("max_open_files"));
  options.block_size = values.Number("block_size");
  settings->block_cache_bytes = values.Number("block_cache");
  settings->bloom_bits = static_cast<int>(values.Number("bloom_bits"));
  options.compression = leveldb::kNoCompression;
  if (values.Text("compression") == "none") return Code::kOk;
  if (EngineHasSnappy()) {
    options.compression = leveldb::kSnappyCompression;
  } else if (!values.IsDefault("compression")) {
    return Failure(Code::kUnsupported, "this LevelDB was built without Snappy")
        .Store(store)
        .Op("open")
        .Hint("use compression=none");
  }
  return Code::kOk;
}

}  // namespace chainstore
