// The options of cs_s3_new.
#pragma once

#include "core/option.h"

namespace chainstore {

inline constexpr OptionSpec kS3Options[] = {
    {"endpoint", OptionSpec::Type::kText, "",
     "http://HOST:PORT or https://HOST of an S3-compatible server; empty: $AWS_ENDPOINT_URL_S3, "
     "else AWS"},
    {"region", OptionSpec::Type::kText, "",
     "the bucket's; empty: $AWS_REGION, else us-east-1, and in both cases what the server says"},
    {"prefix", OptionSpec::Type::kText, "", "stands before every key, for instance cache/"},
    {"addressing", OptionSpec::Type::kChoice, "auto",
     "where the bucket's name goes; auto: virtual on AWS where the name can be a host's, else path",
     "auto|path|virtual"},
    {"credentials", OptionSpec::Type::kChoice, "auto",
     "where the keys come from; auto: the first but anonymous that has some",
     "auto|options|environment|profile|web_identity|container|instance|anonymous"},
    {"profile", OptionSpec::Type::kText, "",
     "of AWS's profile files; empty: $AWS_PROFILE, else default"},
    {"access_key", OptionSpec::Type::kText, "", "the key's id"},
    {"secret_key", OptionSpec::Type::kSecret, "", "its secret"},
    {"session_token", OptionSpec::Type::kSecret, "", "of temporary keys"},
    {"acl", OptionSpec::Type::kChoice, "none", "sent with every put; none: the bucket decides",
     "none|private|public-read|public-read-write|authenticated-read"},
    {"storage_class", OptionSpec::Type::kText, "", "for instance STANDARD_IA"},
    {"sse", OptionSpec::Type::kChoice, "none", "encryption by the server with keys that it keeps",
     "none|s3|kms"},
    {"sse_kms_key", OptionSpec::Type::kText, "",
     "the key's id for sse=kms; empty: the default one"},
    {"sse_customer_key", OptionSpec::Type::kSecret, "",
     "32 bytes in base64: the server encrypts with this key and forgets it"},
    {"metadata", OptionSpec::Type::kText, "", "name=value,name=value, kept with every object"},
    {"tags", OptionSpec::Type::kText, "", "name=value,name=value, kept with every object"},
    {"content_type", OptionSpec::Type::kText, "", "of every object; empty: the server's default"},
    {"cache_control", OptionSpec::Type::kText, "", "of every object"},
    {"requester_pays", OptionSpec::Type::kFlag, "false", "whether you pay for requests"},
    {"bucket_owner", OptionSpec::Type::kText, "", "the account that must own the bucket"},
    {"checksum", OptionSpec::Type::kChoice, "crc32c",
     "sent with every put for the server to check; md5 for old servers", "crc32c|md5|none"},
    {"payload", OptionSpec::Type::kChoice, "auto",
     "whether the signature covers the body; auto: unless it goes to AWS over https",
     "auto|signed|unsigned"},
    {"conditional", OptionSpec::Type::kChoice, "trust",
     "whether the server keeps conditions (if absent) of puts; probe: it is tried once before the "
     "first one; off: such puts are refused",
     "trust|probe|off"},
    {"verify", OptionSpec::Type::kChoice, "on", "verify checksums of whole values", "on|off"},
    {"ttl", OptionSpec::Type::kFlag, "true",
     "whether entries may have a time to live; false: a scan of keys needs no request per key"},
    {"max_value_size", OptionSpec::Type::kSize, "5GiB", "the largest value that is taken"},
    {"multipart_threshold", OptionSpec::Type::kSize, "16MiB",
     "values from this size are put and got in parts, 5MiB to 5GiB"},
    {"part_size", OptionSpec::Type::kSize, "8MiB",
     "of a part, 5MiB to 5GiB; larger where there would be 10,000 parts or more"},
    {"part_concurrency", OptionSpec::Type::kCount, "4", "parts of one value at once, 1 to 64"},
    {"upload_notes", OptionSpec::Type::kText, "",
     "a directory where puts in parts are noted while they run: those that a crash left are "
     "aborted "
     "when a store opens the bucket; empty: they are not"},
    {"prices", OptionSpec::Type::kText, "",
     "what 1,000 requests (get, put, list, delete) and a GB (sent, received) cost, for the "
     "metrics: "
     "get=0.0004,put=0.005,received=0.09"},
    {"attempts", OptionSpec::Type::kCount, "3", "how often a request is sent at most, 1 to 20"},
    {"concurrency", OptionSpec::Type::kCount, "16",
     "requests at once for one get_many, write or page of a scan, 1 to 256"},
    {"connections", OptionSpec::Type::kCount, "64", "connections at once, 1 to 1024"},
    {"connect_timeout", OptionSpec::Type::kDuration, "3s", "for a connection to be made"},
    {"stall_timeout", OptionSpec::Type::kDuration, "30s",
     "a transfer without a byte for so long has failed"},
    {"ca_file", OptionSpec::Type::kText, "",
     "certificates to trust; empty: $AWS_CA_BUNDLE, $CURL_CA_BUNDLE, $SSL_CERT_FILE, the system's"},
    {"ca_path", OptionSpec::Type::kText, "", "the same as a directory"},
    {"insecure_skip_verify", OptionSpec::Type::kFlag, "false",
     "trusts every certificate: for tests, never for data"},
    {"proxy", OptionSpec::Type::kText, "", "http://HOST:PORT; empty: that of the environment"},
};

}  // namespace chainstore
