#include "stores/s3/s3_settings.h"

#include <strings.h>

#include <algorithm>
#include <filesystem>

#include "stores/s3/digest.h"
#include "stores/s3/http_trace.h"
#include "stores/s3/object_key.h"
#include "stores/s3/provider_settings.h"
#include "stores/s3/static_providers.h"

namespace chainstore::s3 {
namespace {

constexpr size_t kMaxMetadataBytes = 2048;  // the user's part of what S3 keeps with an object

Failure WrongOption(std::string what) {
  Failure failure(Code::kInvalid, std::move(what));
  failure.Store("s3");
  return failure;
}

std::string FirstOf(std::string text, std::initializer_list<const char*> variables) {
  for (const char* variable : variables) {
    if (text.empty()) text = EnvironmentText(variable);
  }
  return text;
}

bool IsHeaderNameByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

// "a=1,b=2" as pairs. False: not of that form.
bool ParsePairs(Bytes text, Query* pairs) {
  while (!text.empty()) {
    const Bytes pair = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), pair.size() + 1));
    const size_t equals = pair.find('=');
    if (equals == 0 || equals == Bytes::npos) return false;
    pairs->emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
  }
  return true;
}

Status AddMetadata(const std::string& text, Headers* headers) {
  Query pairs;
  if (!ParsePairs(text, &pairs))
    return WrongOption("metadata is not of the form name=value,name=value");
  size_t bytes = 0;
  for (auto& [name, value] : pairs) {
    if (!std::all_of(name.begin(), name.end(), IsHeaderNameByte) || name.starts_with("cs-")) {
      return WrongOption("the metadata name '" + name +
                         "' is not of lower-case letters, digits and -, "
                         "or begins with cs-, which is the library's own");
    }
    bytes += name.size() + value.size();
    headers->emplace_back("x-amz-meta-" + name, std::move(value));
  }
  if (bytes > kMaxMetadataBytes / 2) return WrongOption("metadata has more than 1024 bytes");
  return Status();
}

Status AddTags(const std::string& text, Headers* headers) {
  Query pairs;
  if (!ParsePairs(text, &pairs) || pairs.size() > 10) {
    return WrongOption("tags are not of the form name=value,name=value, at most ten of them");
  }
  if (!pairs.empty()) headers->emplace_back("x-amz-tagging", EncodeQuery(pairs));
  return Status();
}

Status AddEncryption(const OptionValues& values, S3Settings* out) {
  const std::string& kind = values.Text("sse");
  const std::string& kms_key = values.Text("sse_kms_key");
  const Secret customer(values.Text("sse_customer_key"));
  if (!kms_key.empty() && kind != "kms") return WrongOption("sse_kms_key is given without sse=kms");
  if (kind != "none" && !customer.empty()) {
    return WrongOption("sse and sse_customer_key exclude each other");
  }
  if (kind != "none") {
    out->put_headers.emplace_back("x-amz-server-side-encryption",
                                  kind == "s3" ? "AES256" : "aws:kms");
    if (!kms_key.empty())
      out->put_headers.emplace_back("x-amz-server-side-encryption-aws-kms-key-id", kms_key);
  }
  if (customer.empty()) return Status();
  std::string key;
  const bool is_base64 = Unbase64(customer.Reveal(), &key);
  const size_t size = key.size();
  const std::string md5 = Md5Base64(key);
  OPENSSL_cleanse(key.data(), key.size());
  if (!is_base64 || size != 32) {
    return WrongOption("sse_customer_key is not 32 bytes in base64")
        .Hint("make one with: openssl rand -base64 32");
  }
  out->read_headers.emplace_back("x-amz-server-side-encryption-customer-algorithm", "AES256");
  out->read_headers.emplace_back("x-amz-server-side-encryption-customer-key",
                                 std::string(customer.Reveal()));
  out->read_headers.emplace_back("x-amz-server-side-encryption-customer-key-md5", md5);
  return Status();
}

Status AddHeaders(const OptionValues& values, S3Settings* out) {
  const auto add = [&](Headers* headers, const char* name, const std::string& value) {
    if (!value.empty()) headers->emplace_back(name, value);
  };
  if (values.Text("acl") != "none") add(&out->put_headers, "x-amz-acl", values.Text("acl"));
  add(&out->put_headers, "x-amz-storage-class", values.Text("storage_class"));
  add(&out->put_headers, "content-type", values.Text("content_type"));
  add(&out->put_headers, "cache-control", values.Text("cache_control"));
  if (values.Flag("requester_pays")) add(&out->request_headers, "x-amz-request-payer", "requester");
  add(&out->request_headers, "x-amz-expected-bucket-owner", values.Text("bucket_owner"));
  Status status = AddMetadata(values.Text("metadata"), &out->put_headers);
  if (status.ok()) status = AddTags(values.Text("tags"), &out->put_headers);
  if (status.ok()) status = AddEncryption(values, out);
  if (!status.ok()) return status;
  for (const Headers* headers : {&out->put_headers, &out->request_headers, &out->read_headers}) {
    for (const auto& [name, value] : *headers) {
      if (!IsHeaderValue(value))
        return WrongOption("the value of " + name + " has a line break in it");
    }
  }
  return Status();
}

Status SetAddress(const OptionValues& values, S3Settings* out) {
  if (!IsBucketName(out->bucket)) {
    return WrongOption("'" + out->bucket + "' is no bucket name")
        .Hint("3 to 255 letters, digits, dots, dashes and underscores");
  }
  out->region = FirstOf(values.Text("region"), {"AWS_REGION", "AWS_DEFAULT_REGION"});
  if (out->region.empty()) out->region = "us-east-1";
  if (!std::all_of(out->region.begin(), out->region.end(), IsHeaderNameByte)) {
    return WrongOption("'" + out->region + "' is no region");
  }
  const std::string endpoint =
      FirstOf(values.Text("endpoint"), {"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"});
  if (!endpoint.empty()) {
    Result<Endpoint> parsed = ParseEndpoint(endpoint);
    if (!parsed.ok())
      return Failure(Code::kInvalid, parsed.status().error()->message()).Store("s3");
    out->custom_endpoint = true;
    out->endpoint = std::move(*parsed);
  }
  for (const char* variable : {"AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"}) {
    if (out->custom_endpoint || strcasecmp(EnvironmentText(variable).c_str(), "true") != 0)
      continue;
    return WrongOption(std::string(variable) +
                       " is set, and such endpoints are not found by themselves")
        .Hint(kNameEndpoint);
  }
  const std::string& addressing = values.Text("addressing");
  const bool can_be_host =
      IsHostLabel(out->bucket) && !(out->custom_endpoint && out->endpoint.IsAddress());
  if (addressing == "virtual" && !can_be_host) {
    return WrongOption("the bucket's name cannot be part of a host name")
        .Hint("use addressing=path");
  }
  out->virtual_host =
      addressing == "virtual" || (addressing == "auto" && !out->custom_endpoint && can_be_host);
  out->prefix = values.Text("prefix");
  if (!IsPlainText(out->prefix) || out->prefix.size() > kMaxPrefixSize) {
    return WrongOption(
        "the prefix is longer than 512 bytes, or has characters that S3 cannot list");
  }
  return Status();
}

Status SetCredentials(const OptionValues& values, S3Settings* out) {
  out->credentials = values.Text("credentials");
  out->profile = values.Text("profile");
  out->access_key = values.Text("access_key");
  out->secret_key = Secret(values.Text("secret_key"));
  out->session_token = Secret(values.Text("session_token"));
  if (out->access_key.empty() != out->secret_key.empty()) {
    return WrongOption("only one of access_key and secret_key is given");
  }
  if (out->access_key.empty() && !out->session_token.empty()) {
    return WrongOption("session_token is given without access_key");
  }
  if (out->credentials == "options" && out->access_key.empty()) {
    return WrongOption("credentials=options, and there is no access_key");
  }
  if (!IsHeaderValue(out->access_key) || !IsHeaderValue(out->session_token.Reveal())) {
    return WrongOption("a key has a line break in it");
  }
  return Status();
}

Status SetLimits(const OptionValues& values, S3Settings* out) {
  const auto between = [&](const char* name, uint64_t least, uint64_t most, auto* number) {
    const uint64_t value = values.Number(name);
    if (value < least || value > most) return false;
    *number = static_cast<std::remove_pointer_t<decltype(number)>>(value);
    return true;
  };
  if (!between("attempts", 1, 20, &out->attempts)) return WrongOption("attempts is not 1 to 20");
  // What S3 takes as a part, and as one put.
  constexpr uint64_t kLeastPart = uint64_t{5} << 20;
  constexpr uint64_t kMostPart = uint64_t{5} << 30;
  if (!between("multipart_threshold", kLeastPart, kMostPart, &out->multipart_threshold)) {
    return WrongOption("multipart_threshold is not 5MiB to 5GiB");
  }
  if (!between("part_size", kLeastPart, kMostPart, &out->part_size)) {
    return WrongOption("part_size is not 5MiB to 5GiB");
  }
  if (!between("part_concurrency", 1, 64, &out->part_concurrency)) {
    return WrongOption("part_concurrency is not 1 to 64");
  }
  if (!between("concurrency", 1, 256, &out->concurrency)) {
    return WrongOption("concurrency is not 1 to 256");
  }
  if (!between("connections", 1, 1024, &out->http.max_connections)) {
    return WrongOption("connections is not 1 to 1024");
  }
  if (!between("connect_timeout", 1, 600'000, &out->http.connect_timeout_ms)) {
    return WrongOption("connect_timeout is not 1ms to 10m");
  }
  long stall_ms = 0;
  if (!between("stall_timeout", 1000, 3'600'000, &stall_ms)) {
    return WrongOption("stall_timeout is not 1s to 1h");
  }
  out->http.stall_seconds = stall_ms / 1000;
  constexpr uint64_t kLargestObject = uint64_t{5} << 40;
  if (!between("max_value_size", 1, kLargestObject, &out->max_value_size)) {
    return WrongOption("max_value_size is not 1 to 5TiB");
  }
  return Status();
}

}  // namespace

Result<S3Settings> S3Settings::Make(Bytes bucket, const Options* options) {
  Result<OptionValues> values = OptionValues::Parse("s3", kS3Options, options);
  if (!values.ok()) return values.status();
  S3Settings out;
  out.bucket = bucket;
  for (const auto step : {SetAddress, SetCredentials, AddHeaders, SetLimits}) {
    if (Status wrong = step(*values, &out); !wrong.ok()) return wrong;
  }
  out.upload_notes = values->Text("upload_notes");
  std::error_code error;
  if (!out.upload_notes.empty() && !std::filesystem::is_directory(out.upload_notes, error)) {
    return WrongOption("upload_notes=" + out.upload_notes + " is no directory")
        .Hint("make it first");
  }
  out.ttl = values->Flag("ttl");
  out.verify = values->Text("verify") == "on";
  const std::string& checksum = values->Text("checksum");
  out.checksum = checksum == "crc32c" ? Checksum::kCrc32c
                 : checksum == "md5"  ? Checksum::kMd5
                                      : Checksum::kNone;
  const std::string& conditional = values->Text("conditional");
  out.conditional = conditional == "trust"   ? Conditional::kTrust
                    : conditional == "probe" ? Conditional::kProbe
                                             : Conditional::kOff;
  const std::string& payload = values->Text("payload");
  const bool https = !out.custom_endpoint || out.endpoint.https;
  out.signed_payload =
      payload == "signed" || (payload == "auto" && (out.custom_endpoint || !https));
  if (!out.signed_payload && (!https || out.checksum == Checksum::kNone)) {
    return WrongOption(
        "payload=unsigned needs https and a checksum: a put that is cut off would be "
        "stored as it is");
  }
  if (!ParsePrices(values->Text("prices"), &out.prices)) {
    return WrongOption("prices is not such as get=0.0004,put=0.005,list=0.005,received=0.09");
  }
  out.http.trace = IsHttpTraced();
  out.http.ca_file =
      FirstOf(values->Text("ca_file"), {"AWS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"});
  out.http.ca_path = FirstOf(values->Text("ca_path"), {"SSL_CERT_DIR"});
  out.http.insecure_tls = values->Flag("insecure_skip_verify");
  out.http.proxy = values->Text("proxy");
  return out;
}

Status S3Settings::UseOwnCredentials(std::shared_ptr<CredentialProvider> own) {
  if (own && (credentials != "auto" || !access_key.empty() || !profile.empty())) {
    return WrongOption("there are a function for the keys and an option that says where they are")
        .Hint("leave out credentials, access_key and profile, or the function");
  }
  own_credentials = std::move(own);
  return Status();
}

std::string S3Settings::StoreName() const {
  return "s3:" + bucket + (prefix.empty() ? "" : "/" + prefix);
}

Endpoint S3Settings::HostOf(const std::string& in_region) const {
  Endpoint host = endpoint;
  if (!custom_endpoint) {
    host.host = "s3." + in_region + ".amazonaws.com" + (in_region.starts_with("cn-") ? ".cn" : "");
  }
  if (virtual_host) host.host = bucket + "." + host.host;
  return host;
}

std::string S3Settings::BucketUrl() const {
  return (custom_endpoint ? endpoint.Origin() : "https://s3.amazonaws.com") + "/" + bucket;
}

std::string S3Settings::BasePath() const {
  return virtual_host ? "/" : "/" + EncodePath(bucket) + "/";
}

}  // namespace chainstore::s3
