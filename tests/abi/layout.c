/* Nothing but the public header, twice, and what is frozen of it: sizes, offsets, numbers. Compiled
 * in every mode of C and C++ by header_modes.sh. */
#include "chainstore.h"
#include "chainstore.h" /* including it again changes nothing */

#ifdef __cplusplus
#define CHECK(name, condition) static_assert(condition, #name)
#else
#define CHECK(name, condition) typedef char check_##name[(condition) ? 1 : -1]
#endif

/* Pointers and sizes take P bytes. */
#define P sizeof(void*)

CHECK(pointer_and_size, sizeof(size_t) == P);
CHECK(status_size, sizeof(cs_status) == 4);

CHECK(entry_size, sizeof(cs_entry) == 40 + 6 * P);
CHECK(entry_status, offsetof(cs_entry, status) == 0);
CHECK(entry_flags, offsetof(cs_entry, flags) == 4);
CHECK(entry_total_size, offsetof(cs_entry, total_size) == 8);
CHECK(entry_expires, offsetof(cs_entry, expires_at_ms) == 16);
CHECK(entry_version, offsetof(cs_entry, version) == 24);
CHECK(entry_reserved, offsetof(cs_entry, reserved) == 32);
CHECK(entry_key, offsetof(cs_entry, key) == 40);
CHECK(entry_key_size, offsetof(cs_entry, key_size) == 40 + P);
CHECK(entry_data, offsetof(cs_entry, data) == 40 + 2 * P);
CHECK(entry_data_size, offsetof(cs_entry, size) == 40 + 3 * P);
CHECK(entry_value, offsetof(cs_entry, value) == 40 + 4 * P);
CHECK(entry_error, offsetof(cs_entry, error) == 40 + 5 * P);

CHECK(result_size, sizeof(cs_result) == 64 + 8 * P);
CHECK(result_is_128_or_96, sizeof(cs_result) == (P == 8 ? 128 : 96));
CHECK(result_status, offsetof(cs_result, status) == 0);
CHECK(result_flags, offsetof(cs_result, flags) == 4);
CHECK(result_total_size, offsetof(cs_result, total_size) == 8);
CHECK(result_expires, offsetof(cs_result, expires_at_ms) == 16);
CHECK(result_version, offsetof(cs_result, version) == 24);
CHECK(result_tier, offsetof(cs_result, tier) == 32);
CHECK(result_reserved32, offsetof(cs_result, reserved32) == 36);
CHECK(result_data, offsetof(cs_result, data) == 40);
CHECK(result_data_size, offsetof(cs_result, size) == 40 + P);
CHECK(result_value, offsetof(cs_result, value) == 40 + 2 * P);
CHECK(result_entries, offsetof(cs_result, entries) == 40 + 3 * P);
CHECK(result_count, offsetof(cs_result, count) == 40 + 4 * P);
CHECK(result_error, offsetof(cs_result, error) == 40 + 5 * P);
CHECK(result_user_data, offsetof(cs_result, user_data) == 40 + 6 * P);
CHECK(result_owner, offsetof(cs_result, owner) == 40 + 7 * P);
CHECK(result_reserved, offsetof(cs_result, reserved) == 40 + 8 * P);

/* Fields may come after these; these stay where they are. */
CHECK(call_flags, offsetof(cs_call, flags) == 4);
CHECK(call_timeout, offsetof(cs_call, timeout_ms) == 8);
CHECK(call_cancel, offsetof(cs_call, cancel) == 16);
CHECK(call_queue, offsetof(cs_call, queue) == 16 + P);
CHECK(call_ttl, offsetof(cs_call, ttl_ms) == 16 + 2 * P);
CHECK(call_ack, offsetof(cs_call, ack) == 24 + 2 * P);
CHECK(call_reserved, offsetof(cs_call, reserved) == 28 + 2 * P);
CHECK(call_size, sizeof(cs_call) == 32 + 2 * P);

CHECK(range_flags, offsetof(cs_range, flags) == 4);
CHECK(range_prefix, offsetof(cs_range, prefix) == 8);
CHECK(range_prefix_size, offsetof(cs_range, prefix_size) == 8 + P);
CHECK(range_start, offsetof(cs_range, start) == 8 + 2 * P);
CHECK(range_start_size, offsetof(cs_range, start_size) == 8 + 3 * P);
CHECK(range_end, offsetof(cs_range, end) == 8 + 4 * P);
CHECK(range_end_size, offsetof(cs_range, end_size) == 8 + 5 * P);
CHECK(range_page_size, offsetof(cs_range, page_size) == 8 + 6 * P);
CHECK(range_reserved, offsetof(cs_range, reserved) == 12 + 6 * P);
CHECK(range_size, sizeof(cs_range) == 16 + 6 * P);

CHECK(s3_keys_reserved, offsetof(cs_s3_keys, reserved) == 4);
CHECK(s3_keys_expires_at_ms, offsetof(cs_s3_keys, expires_at_ms) == 8);
CHECK(s3_keys_access_key, offsetof(cs_s3_keys, access_key) == 16);
CHECK(s3_keys_secret_key, offsetof(cs_s3_keys, secret_key) == 16 + P);
CHECK(s3_keys_session_token, offsetof(cs_s3_keys, session_token) == 16 + 2 * P);
CHECK(s3_keys_size, sizeof(cs_s3_keys) >= 16 + 3 * P);

CHECK(store_ops_caps, offsetof(cs_store_ops, caps) == 4);
CHECK(store_ops_submit, offsetof(cs_store_ops, submit) == 8);
CHECK(store_ops_release, offsetof(cs_store_ops, release) == 8 + P);
CHECK(store_ops_size, sizeof(cs_store_ops) == 8 + 2 * P);

CHECK(answers, CS_OK == 0 && CS_NOT_FOUND == 1 && CS_END == 2 && CS_WOULD_BLOCK == 3 &&
                   CS_TOO_SMALL == 4 && CS_EXISTS == 5);
CHECK(failures, CS_INVALID == -1 && CS_NO_MEMORY == -2 && CS_CANCELLED == -3 && CS_TIMEOUT == -4 &&
                    CS_CLOSED == -5 && CS_BUSY == -6 && CS_UNSUPPORTED == -7 && CS_IO == -8 &&
                    CS_CORRUPT == -9 && CS_DENIED == -10 && CS_TOO_LARGE == -11 &&
                    CS_PARTIAL == -12 && CS_DEADLOCK == -13 && CS_FORKED == -14 &&
                    CS_INTERNAL == -15 && CS_NO_SPACE == -16);
CHECK(results, CS_RESULT_STALE == 1 && CS_RESULT_PENDING == 2 && CS_RESULT_PARKED == 4 &&
                   CS_RESULT_PRIVATE == 8);
CHECK(calls, CS_CALL_INLINE == 1 && CS_CALL_SKIP_CACHE == 2 && CS_CALL_NO_FILL == 4 &&
                 CS_CALL_IF_ABSENT == 8 && CS_CALL_NO_WAIT == 16 && CS_CALL_OWNED == 32 &&
                 CS_CALL_KEEP == 64);
CHECK(acks, CS_ACK_DEFAULT == 0 && CS_ACK_ACCEPTED == 1 && CS_ACK_JOURNALED == 2 &&
                CS_ACK_DELIVERED == 3);
CHECK(scans, CS_SCAN_REVERSE == 1 && CS_SCAN_KEYS_ONLY == 2);
CHECK(caps, CS_CAP_ORDERED == 1 && CS_CAP_ATOMIC_BATCH == 2 && CS_CAP_ZERO_COPY == 4 &&
                CS_CAP_DURABLE == 8 && CS_CAP_SCAN == 16 && CS_CAP_RANGE == 32 &&
                CS_CAP_TTL == 64 && CS_CAP_TRY == 128 && CS_CAP_LOOP == 256);
CHECK(ops, CS_OP_GET == 1 && CS_OP_PUT == 2 && CS_OP_DEL == 3 && CS_OP_SCAN == 4 &&
               CS_OP_FLUSH == 5 && CS_OP_CLOSE == 6 && CS_OP_STAT == 7 && CS_OP_GET_RANGE == 8);
CHECK(waits, CS_WAIT_NEVER == 0 && CS_WAIT_LATER == 1 && CS_WAIT_HERE == 2);
CHECK(logs, CS_LOG_DEBUG == 0 && CS_LOG_INFO == 1 && CS_LOG_WARNING == 2 && CS_LOG_ERROR == 3);
CHECK(abi, CS_ABI == ((CS_VERSION_MAJOR << 16) | CS_VERSION_MINOR));

/* The initialisers must be usable as such, in C and in C++. */
cs_call a_call(void);
cs_result a_result(void);
cs_range a_range(void);
cs_store_ops some_ops(void);
cs_call a_call(void) {
  cs_call call = CS_CALL_INIT;
  return call;
}
cs_result a_result(void) {
  cs_result result = CS_RESULT_INIT;
  return result;
}
cs_range a_range(void) {
  cs_range range = CS_RANGE_INIT;
  return range;
}
cs_store_ops some_ops(void) {
  cs_store_ops ops = CS_STORE_OPS_INIT;
  return ops;
}
