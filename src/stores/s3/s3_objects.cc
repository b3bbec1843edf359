#include "stores/s3/s3_objects.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <random>

#include "stores/s3/digest.h"
#include "stores/s3/list_reply.h"
#include "stores/s3/s3_get.h"
#include "stores/s3/s3_put.h"
#include "stores/s3/upload_note.h"

namespace chainstore::s3 {
namespace {

constexpr uint64_t kAbortLeftMs = 30'000;

bool ContentLength(const Headers& headers, uint64_t* size) {
  for (const auto& [name, value] : headers) {
    if (name != "content-length") continue;
    const char* const end = value.data() + value.size();
    const auto [stopped, error] = std::from_chars(value.data(), end, *size);
    return error == std::errc() && stopped == end;
  }
  return false;
}

}  // namespace

S3Objects::S3Objects(S3Settings settings, const Ref<Runtime>& runtime, Ref<CancelToken> closing)
    : runtime_(runtime),
      client_(MakeRef<S3Client>(std::move(settings), runtime, std::move(closing))),
      name_(client_->settings().StoreName()),
      keys_(client_->settings().prefix) {}

Failure S3Objects::Fail(Code code, const char* operation, std::string what) const {
  Failure failure(code, std::move(what));
  failure.Store(name_).Op(operation);
  return failure;
}

S3Request S3Objects::NewRequest(const char* operation, const char* action, const char* method,
                                Bytes key) {
  S3Request request;
  request.operation = operation;
  request.action = action;
  request.method = method;
  request.object = keys_.Encode(key);
  request.user_key = key;
  return request;
}

// ---- Reading ----

void S3Objects::Get(Bytes key, const Read& read, const Call& call, const char* operation,
                    GotAnswer done) {
  if (read.what == Read::What::kStat) return Stat(key, call, operation, std::move(done));
  MakeRef<S3Get>(Ref<S3Objects>(this), key, read, call, operation, std::move(done))->Begin();
}

void S3Objects::Head(std::string object, Bytes key, const Call& call, const char* operation,
                     GotMeta done) {
  S3Request request;
  request.operation = operation;
  request.action = "s3:GetObject";
  request.method = "HEAD";
  request.object = std::move(object);
  request.user_key = key;
  request.headers = settings().read_headers;
  request.is_object = true;
  request.max_body_bytes = 0;
  S3Request asked = request;
  client_->Send(std::move(request), call,
                [self = Ref<S3Objects>(this), asked = std::move(asked), call,
                 done = std::move(done)](S3Reply&& reply) mutable {
                  if (reply.status.Is(Code::kNotFound)) {
                    return self->TellMiss(std::move(reply), asked, call,
                                          [done = std::move(done)](Status&& status) mutable {
                                            done(std::move(status), ObjectMeta());
                                          });
                  }
                  if (!reply.status.ok()) return done(std::move(reply.status), ObjectMeta());
                  self->SawBucket();
                  ObjectMeta meta = ObjectMeta::Read(reply.headers);
                  if (!ContentLength(reply.headers, &meta.meta.total_size)) {
                    return done(
                        self->Fail(Code::kIo, asked.operation, "the answer has no Content-Length"),
                        ObjectMeta());
                  }
                  done(Status(), std::move(meta));
                });
}

void S3Objects::Stat(Bytes key, const Call& call, const char* operation, GotAnswer done) {
  Head(keys_.Encode(key), key, call, operation,
       [self = Ref<S3Objects>(this), done = std::move(done)](Status&& status,
                                                             ObjectMeta&& object) mutable {
         if (!status.ok()) return done(std::move(status));
         if (self->IsExpired(object.meta)) return done(Code::kNotFound);
         Answer answer;
         answer.meta = object.meta;
         answer.tier = 1;
         done(std::move(answer));
       });
}

void S3Objects::TellMiss(S3Reply&& reply, const S3Request& asked, const Call& call,
                         UniqueFunction<void(Status&&)> done) {
  if (reply.s3_code == "NoSuchKey") {
    SawBucket();
    return done(Code::kNotFound);
  }
  if (asked.method == "HEAD" && bucket_seen_.load(std::memory_order_relaxed)) {
    return done(Code::kNotFound);  // an answer to a HEAD has no room for more
  }
  if (asked.method != "HEAD") {
    return done(Fail(Code::kIo, asked.operation, "a 404 that does not say what is missing")
                    .KeyIs(asked.user_key)
                    .Detail("http_status", "404")
                    .Retryable(false)
                    .Hint("check the option endpoint"));
  }
  // The smallest question that names what is missing.
  List(keys_.prefix(), "", 1, call,
       [self = Ref<S3Objects>(this), done = std::move(done)](S3Reply&& listed) mutable {
         if (!listed.status.ok()) return done(std::move(listed.status));
         self->SawBucket();
         done(Code::kNotFound);
       });
}

void S3Objects::List(const std::string& prefix, const std::string& start_after, size_t most,
                     const Call& call, GotReply done) {
  S3Request request;
  request.operation = "scan";
  request.action = "s3:ListBucket";
  request.root = "ListBucketResult";
  request.query = {{"list-type", "2"},
                   {"encoding-type", "url"},
                   {"max-keys", std::to_string(std::clamp<size_t>(most, 1, 1000))}};
  if (!prefix.empty()) request.query.emplace_back("prefix", prefix);
  if (!start_after.empty()) request.query.emplace_back("start-after", start_after);
  client_->Send(std::move(request), call, std::move(done));
}

// ---- Writing ----

void S3Objects::AskForConditions(const Call& call, UniqueFunction<void(Status&&)> done) {
  using Conditional = S3Settings::Conditional;
  if (settings().conditional == Conditional::kTrust) return done(Status());
  if (settings().conditional == Conditional::kOff) {
    return done(Fail(Code::kUnsupported, "put", "the store was opened with conditional=off")
                    .Hint("put without the condition"));
  }
  // No key of ours has this form: no scan shows it.
  std::random_device random;
  const std::string object =
      keys_.prefix() + ".chainstore/p/" + std::to_string(random()) + std::to_string(random());
  conditions_.Ask(client_, object, call,
                  [self = Ref<S3Objects>(this), done = std::move(done)](Status&& status) mutable {
                    done(std::move(status));
                  });
}

void S3Objects::AbortLeftUploads() {
  if (settings().upload_notes.empty()) return;
  for (auto& note : UploadNote::TakeLeft(settings().upload_notes, settings().BucketUrl())) {
    S3Request request;
    request.operation = "abort";
    request.action = "s3:AbortMultipartUpload";
    request.method = "DELETE";
    request.object = note->upload().object;
    request.query = {{"uploadId", note->upload().id}};
    Call call;
    call.deadline_ns = Clock::System().DeadlineAfterMs(kAbortLeftMs);
    client_->Send(std::move(request), call, [note = std::move(note)](S3Reply&& reply) {
      // An upload that is not there any more is as good as aborted; one that could not be reached
      // is left to the next store.
      if (reply.status.ok() || reply.s3_code == "NoSuchUpload") note->Forget();
    });
  }
}

void S3Objects::Put(Bytes key, const Payload& payload, const Call& call, const char* operation,
                    GotReceipt done) {
  MakeRef<S3Put>(Ref<S3Objects>(this), key, payload, call, operation, std::move(done))->Begin();
}

void S3Objects::Del(Bytes key, const Call& call, const char* operation, GotReceipt done) {
  S3Request request = NewRequest(operation, "s3:DeleteObject", "DELETE", key);
  S3Request asked = request;
  client_->Send(std::move(request), call,
                [self = Ref<S3Objects>(this), asked = std::move(asked), call,
                 done = std::move(done)](S3Reply&& reply) mutable {
                  if (!reply.status.Is(Code::kNotFound)) return done(std::move(reply.status));
                  // Nothing there is as good as gone; but a bucket that is not there is an error.
                  self->TellMiss(std::move(reply), asked, call,
                                 [done = std::move(done)](Status&& status) mutable {
                                   if (status.Is(Code::kNotFound)) return done(Receipt());
                                   done(std::move(status));
                                 });
                });
}

void S3Objects::DelMany(std::vector<std::string> keys, const Call& call, GotStatuses done) {
  std::vector<std::string> objects;
  for (const std::string& key : keys) objects.push_back(keys_.Encode(key));
  const std::string text = DeleteDocument(objects);
  S3Request request;
  request.operation = "write";
  request.action = "s3:DeleteObject";
  request.method = "POST";
  request.query = {{"delete", ""}};
  request.has_body = true;
  request.body_owner = Value::Copy(text);
  request.body = request.body_owner->bytes();
  request.headers = {{"content-type", "application/xml"}, {"content-md5", Md5Base64(text)}};
  request.root = "DeleteResult";
  client_->Send(std::move(request), call,
                [self = Ref<S3Objects>(this), keys = std::move(keys), objects = std::move(objects),
                 done = std::move(done)](S3Reply&& reply) mutable {
                  std::vector<Status> statuses(keys.size(), reply.status);
                  if (reply.status.ok()) self->TellRefused(*reply.root, keys, objects, &statuses);
                  done(std::move(statuses));
                });
}

// What the answer to DeleteObjects says of some of the keys. What it says of none that was asked
// for counts for all of them: one of them is still there.
void S3Objects::TellRefused(const XmlNode& root, const std::vector<std::string>& keys,
                            const std::vector<std::string>& objects,
                            std::vector<Status>* statuses) const {
  DeleteReply deleted;
  deleted.Read(root);
  std::map<Bytes, size_t> index;
  for (size_t at = 0; at < objects.size(); ++at) index[objects[at]] = at;
  for (const DeleteReply::Refused& refused : deleted.refused) {
    if (refused.code == "NoSuchKey") continue;
    ErrorReply error;
    error.http_status = refused.code == "InternalError" ? 500 : 400;
    error.code = OneLine(refused.code);
    error.has_document = true;
    const Code code = CodeOf(error);
    Failure failure = Fail(static_cast<int>(code) > 0 ? Code::kIo : code, "write",
                           error.code + ": " + OneLine(refused.message));
    failure.Detail("s3_code", error.code).Retryable(RetryOf(error) != Retry::kNever);
    const auto found = index.find(refused.key);
    if (found != index.end()) {
      (*statuses)[found->second] = failure.KeyIs(keys[found->second]);
      continue;
    }
    const Status all = failure;
    for (Status& status : *statuses) {
      if (status.ok()) status = all;
    }
  }
}

}  // namespace chainstore::s3
