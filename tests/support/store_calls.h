// Blocking calls of a Store, for tests: each runs one operation under Wait::kHere and returns what
// it answered.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "core/await.h"
#include "core/store.h"

namespace chainstore {

inline Call CallOf(Wait wait, uint32_t flags = 0) {
  Call call;
  call.wait = wait;
  call.flags = flags;
  return call;
}

inline Answer GetFrom(Store& store, Bytes key, uint32_t flags = 0, Wait wait = Wait::kHere,
                      const Read& read = Read::Whole()) {
  Answer answer;
  Await<Answer>(Call(), &answer, [&](Done<Answer> done) {
    store.Get(Key(key), read, CallOf(wait, flags), std::move(done));
  });
  return answer;
}

// The value, or the name of the status in brackets.
inline std::string TextOf(const Answer& answer) {
  if (!answer.status.ok()) return std::string("(") + CodeName(answer.status.code()) + ")";
  return answer.value ? std::string(answer.value->bytes()) : "(no value)";
}

inline std::string GetText(Store& store, Bytes key, uint32_t flags = 0) {
  return TextOf(GetFrom(store, key, flags));
}

// The value that the store has at hand, or "(none)".
inline std::string HitText(Store& store, Bytes key) {
  Hit hit;
  if (store.GetHit(Key(key), &hit)) return std::string(hit.value->bytes());
  EXPECT_FALSE(hit.value) << "no hit leaves nothing";
  return "(none)";
}

inline Receipt PutInto(Store& store, Bytes key, Bytes value, uint32_t flags = 0,
                       Wait wait = Wait::kHere, int64_t expires_at_ms = 0) {
  Receipt receipt;
  Await<Receipt>(Call(), &receipt, [&](Done<Receipt> done) {
    store.Put(Key(key), Payload(value, expires_at_ms), CallOf(wait, flags), std::move(done));
  });
  return receipt;
}

inline Code Put(Store& store, Bytes key, Bytes value, uint32_t flags = 0) {
  return PutInto(store, key, value, flags).status.code();
}

inline Code Del(Store& store, Bytes key, uint32_t flags = 0) {
  Receipt receipt;
  Await<Receipt>(Call(), &receipt, [&](Done<Receipt> done) {
    store.Del(Key(key), CallOf(Wait::kHere, flags), std::move(done));
  });
  return receipt.status.code();
}

inline Entries WriteInto(Store& store, Ref<const Batch> batch) {
  Entries entries;
  Await<Entries>(Call(), &entries, [&](Done<Entries> done) {
    store.Write(std::move(batch), CallOf(Wait::kHere), std::move(done));
  });
  return entries;
}

inline Page ScanPage(Store& store, const Range& range) {
  Page page;
  Await<Page>(Call(), &page,
              [&](Done<Page> done) { store.Scan(range, CallOf(Wait::kHere), std::move(done)); });
  return page;
}

// Every key of a range, page by page: "a=1 b=2".
inline std::string ScanText(Store& store, Range range) {
  std::string text;
  for (;;) {
    const Page page = ScanPage(store, range);
    if (page.status.Is(Code::kEnd)) return text;
    if (!page.status.ok()) return text + "(" + CodeName(page.status.code()) + ")";
    EXPECT_FALSE(page.entries.empty()) << "a page that is OK is never empty";
    for (const Entry& entry : page.entries) {
      if (!text.empty()) text += " ";
      text += entry.key;
      if (entry.value) text += "=" + std::string(entry.value->bytes());
    }
    if (!page.more) return text;
    range.after = page.entries.back().key;
    range.has_after = true;
  }
}

inline Status CloseStore(Store& store, uint32_t flags = 0) {
  Status status;
  Await<Status>(Call(), &status, [&](Done<Status> done) {
    store.Close(CallOf(Wait::kHere, flags), std::move(done));
  });
  return status;
}

inline Status FlushStore(Store& store, Bytes prefix = "") {
  Status status;
  Await<Status>(Call(), &status, [&](Done<Status> done) {
    store.Flush(prefix, CallOf(Wait::kHere), std::move(done));
  });
  return status;
}

}  // namespace chainstore
