// The record that LMDB and LevelDB keep (stores/record.h), from both ends: the bytes as something
// that stands in a database, and as an entry that is stored, changed and read.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "stores/record.h"

namespace {

using chainstore::Bytes;
using chainstore::Meta;
using chainstore::RecordView;

void Require(bool holds) {
  if (!holds) abort();
}

// Takes numbers off the front of the input; 0 when there is no more.
class Input {
 public:
  Input(const uint8_t* data, size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}
  uint64_t Number(size_t bytes) {
    uint64_t number = 0;
    for (size_t i = 0; i < bytes && !rest_.empty(); ++i) {
      number = number << 8 | static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
    }
    return number;
  }
  Bytes Take(size_t size) {
    const Bytes taken = rest_.substr(0, size);
    rest_.remove_prefix(taken.size());
    return taken;
  }
  Bytes rest() const { return rest_; }

 private:
  Bytes rest_;
};

bool SameMeta(const Meta& a, const Meta& b) {
  return a.expires_at_ms == b.expires_at_ms && a.version == b.version &&
         a.total_size == b.total_size;
}

// What is accepted is exactly what the encoder makes of it.
void DecodeAnything(Bytes key, Bytes stored) {
  std::string why;
  RecordView view;
  if (chainstore::DecodeRecord(stored, key, /*verify=*/false, &view, &why)) {
    Require(view.value.size() + chainstore::kRecordHeaderSize <= stored.size());
    Require(view.meta.total_size == view.value.size());
    Require(view.meta.expires_at_ms >= 0 && view.meta.expires_at_ms <= chainstore::kMaxExpiryMs);
  } else {
    Require(!why.empty());
  }
  RecordView checked;
  if (!chainstore::DecodeRecord(stored, key, /*verify=*/true, &checked, &why)) return;
  const bool keeps_key = stored[1] != 0;
  const Bytes whole_key = key.empty() ? checked.key : key;
  if (keeps_key && checked.key != whole_key) return;  // its reader compares the two
  std::string again;
  chainstore::EncodeRecord(whole_key, checked.value, checked.meta, keeps_key, &again);
  Require(again == stored);
}

void StoreChangeAndRead(Input input) {
  const bool keep_key = input.Number(1) % 2 == 1;
  Meta meta;
  meta.expires_at_ms = static_cast<int64_t>(input.Number(6));
  meta.version = input.Number(8);
  const size_t at = input.Number(2);
  const auto change = static_cast<unsigned char>(input.Number(1));
  const Bytes key = input.Take(1 + input.Number(1));
  const Bytes value = input.rest();
  if (key.empty()) return;
  meta.total_size = value.size();
  std::string stored;
  chainstore::EncodeRecord(key, value, meta, keep_key, &stored);

  RecordView view;
  std::string why;
  Require(chainstore::DecodeRecord(stored, key, true, &view, &why));
  Require(view.value == value && SameMeta(view.meta, meta));
  Require(view.key == (keep_key ? key : Bytes()));
  if (change == 0) return;
  char& byte = stored[at % stored.size()];
  byte = static_cast<char>(byte ^ change);
  Require(!chainstore::DecodeRecord(stored, key, true, &view, &why) ||
          (keep_key && view.key != key));
  if (keep_key) Require(!chainstore::DecodeRecord(stored, Bytes(), true, &view, &why));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input input(data, size);
  const Bytes key = input.Take(input.Number(1) % 32);
  DecodeAnything(key, input.rest());
  StoreChangeAndRead(Input(data, size));
  return 0;
}
