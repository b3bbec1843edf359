// What an S3 server says, read as everything that it could be: documents, lists, dates, ranges,
// encoded keys; and the same bytes as a key and as an endpoint of the user's.
#ifdef CHAINSTORE_WITH_S3
#include "stores/s3/http_date.h"
#include "stores/s3/list_reply.h"
#include "stores/s3/object_key.h"
#include "stores/s3/object_meta.h"
#include "stores/s3/s3_meters.h"
#include "stores/s3/upload_note.h"
#include "stores/s3/uri.h"
#endif

#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

#ifdef CHAINSTORE_WITH_S3
using chainstore::Bytes;

void Require(bool holds) {
  if (!holds) abort();
}

void ReadDocument(Bytes input) {
  std::string why;
  const auto root = chainstore::s3::ParseXml(input, &why);
  Require(root ? why.empty() : !why.empty());
  if (!root) return;
  chainstore::s3::ListReply list;
  if (!list.Read(*root, "p", "pa")) {
    for (const auto& object : list.objects) Require(object.key > "pa" && object.key[0] == 'p');
  }
  chainstore::s3::DeleteReply().Read(*root);
}

void ReadKey(Bytes input) {
  static const chainstore::s3::ObjectKeys keys("prefix/");
  if (input.empty() || input.size() > chainstore::kMaxKeySize) return;
  const std::string object = keys.Encode(input);
  Require(object.size() <= chainstore::s3::kMaxObjectKeySize);
  Require(chainstore::s3::IsPlainText(object));
  std::string back;
  const auto form = keys.Decode(object, &back);
  Require(form != chainstore::s3::ObjectKeys::Form::kForeign);
  Require(form == chainstore::s3::ObjectKeys::Form::kDigest || back == input);
  Require(object > (form == chainstore::s3::ObjectKeys::Form::kPlain
                        ? keys.PlainListStart(input, false)
                        : keys.EscapedListStart(input)));
}
#endif

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
#ifdef CHAINSTORE_WITH_S3
  const Bytes input(reinterpret_cast<const char*>(data), size);
  ReadDocument(input);
  ReadKey(input);
  std::string text;
  Require(chainstore::s3::DecodeUrl(chainstore::s3::EncodePath(input), &text) && text == input);
  chainstore::s3::DecodeUrl(input, &text);
  const auto endpoint = chainstore::s3::ParseEndpoint(input);
  if (endpoint.ok()) {
    Require(*chainstore::s3::ParseEndpoint(endpoint->Origin()) == *endpoint);
  }
  const auto location = chainstore::s3::EndpointOfUrl(input);
  if (location.ok()) Require(chainstore::s3::ParseEndpoint(location->Origin()).ok());
  chainstore::s3::Prices prices;
  if (chainstore::s3::ParsePrices(input, &prices)) Require(prices.get >= 0 && prices.sent >= 0);
  chainstore::s3::ParseHttpDate(input);
  chainstore::s3::ContentRange range;
  if (chainstore::s3::ParseContentRange(input, &range) && !range.unsatisfied) {
    Require(range.first <= range.last && range.last < range.total);
  }
  chainstore::s3::NotedUpload upload, again;
  if (chainstore::s3::ParseNote(input, &upload)) {
    Require(chainstore::s3::ParseNote(chainstore::s3::NoteText(upload), &again) && again == upload);
  }
#else
  (void)data, (void)size;
#endif
  return 0;
}
