/* chainstore: one small key-value interface over a chain of stores. C99 to C23, C++11 to C++23.
 *
 * This header is the manual. The rules come first because they hold for every function below; a
 * function's comment says only what is particular to it.
 *
 * ---- Caveats first ----
 *
 * Bytes     Keys and data are read only until the function that takes them returns, sync or async;
 *           a sync call that timed out has finished with them too. NULL with size 0 is empty; NULL
 *           with another size is CS_INVALID.
 * Keys      1 to 1024 bytes, any bytes. Other sizes are CS_INVALID.
 * Values    Any bytes, also none: empty is not missing. How large is up to the store.
 * Status    The sign is the meaning: 0 done; positive an answer (not found, end, would block);
 *           negative a failure. Only failures carry a cs_error, and every failed result does.
 * error     An out parameter `cs_error **error` may be NULL. It is written only on failure, and
 *           never read. What is written there is yours: cs_error_unref.
 * Calls     A started call holds its own references (store, value, token, queue) until its
 *           completion has returned: you may drop yours at once.
 * Threads   Any handle may be used from any thread at any time, several at once. The exceptions are
 *           builders and scans (cs_options, cs_batch, cs_scan): one thread at a time.
 * Callbacks A function of yours that the library calls (a completion, a release function, an error
 *           handler) must not throw, longjmp or end its thread. No lock is held while it runs.
 *           It may call anything here that does not block.
 * Blocking  Functions marked "may block" answer CS_DEADLOCK inside any function that the library
 *           calls. The mark is per thread: a thread of your own that you hand work to is not
 *           marked. (Constructors may block for as long as an engine takes to open; they are
 *           allowed everywhere.)
 * release   Every pointer that the library keeps comes with a release function (which may be NULL):
 *           run exactly once, on any thread, perhaps inside your own _unref; never under a lock. It
 *           is NOT run when the function that took it failed: the pointer is still yours.
 * Structs   Those that begin with struct_size: set it to the size that you compiled with (the
 *           ..._INIT macros do). Smaller than the library's: the rest counts as 0. Larger: the rest
 *           must be 0, else CS_INVALID. 0 is CS_INVALID. Unknown flags and reserved fields that are
 *           not 0 are CS_INVALID. Structs without struct_size are frozen for ever.
 * NULL      _unref, _free and cs_result_release of NULL do nothing. A _ref of NULL is NULL. NULL
 *           for any other handle is CS_INVALID, unless the function says what NULL means.
 * Time      Timeouts are milliseconds from now on a clock that nobody sets; expiry times are
 *           milliseconds of Unix time. 0 is "none" for both.
 * Exit      There is no init function and no atexit. Leaving without close is like kill -9: what a
 *           store said was durable is safe.
 * fork      Handles made before a fork belong to the parent. In the child every call on them
 *           answers CS_FORKED, and an _unref forgets them without touching anything. The child may
 *           open stores of its own.
 */
#ifndef CHAINSTORE_H
#define CHAINSTORE_H

#include <stddef.h>
#include <stdint.h>

/* The version of this header. CS_ABI is what cs_abi() is compared with: major << 16 | minor. */
#define CS_VERSION_MAJOR 0
#define CS_VERSION_MINOR 1
#define CS_ABI ((CS_VERSION_MAJOR << 16) | CS_VERSION_MINOR)

/* Define CS_STATIC when you link the static library. */
#if defined(CS_STATIC)
#define CS_API
#elif defined(_WIN32)
#define CS_API __declspec(dllimport)
#elif defined(__GNUC__)
#define CS_API __attribute__((visibility("default")))
#else
#define CS_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ============================================================================================== */
/* 1. Version                                                                                     */
/* ============================================================================================== */

/* The CS_ABI of the library that is loaded: at least the CS_ABI that you compiled with, with the
 * same major number, or you are looking at the wrong library. Any thread. */
CS_API uint32_t cs_abi(void);

/* The library's version, for people: "0.1.0". A constant; never freed. Any thread. */
CS_API const char* cs_library_version(void);

/* 1 if this build has `feature`, else 0 (also for NULL and for a name that it never heard of).
 * Features: "memory" "filesystem" "lmdb" "leveldb" "s3" "chain" "lru" "write_behind"
 * "timeout" "metrics" "logging" "key_hash" "fault" "custom". Symbols do not depend on
 * the build: a constructor of a store that was left out answers CS_UNSUPPORTED. */
CS_API int cs_has(const char* feature);

/* ============================================================================================== */
/* 2. Handles                                                                                     */
/* ============================================================================================== */

/* Shared handles: counted references (..._ref, ..._unref). A count changes only when you say so. */
typedef struct cs_store cs_store;     /* an engine, a manager, a chain: anything that stores */
typedef struct cs_value cs_value;     /* immutable bytes */
typedef struct cs_error cs_error;     /* immutable: why something failed */
typedef struct cs_cancel cs_cancel;   /* fires once, for any number of calls */
typedef struct cs_queue cs_queue;     /* where results can be collected */
typedef struct cs_runtime cs_runtime; /* the library's threads */
typedef struct cs_request cs_request; /* what a custom store is asked */

/* Builders and scans: one owner, one thread at a time (..._new, ..._free). */
typedef struct cs_options cs_options;
typedef struct cs_batch cs_batch;
typedef struct cs_scan cs_scan;

/* ============================================================================================== */
/* 3. Status and errors                                                                           */
/* ============================================================================================== */

/* How something ended: one of the values below. The sign is the meaning (see the top). */
typedef int32_t cs_status;
enum {
  CS_OK = 0, /* done */

  /* Answers: not failures, without a cs_error. */
  CS_NOT_FOUND = 1,   /* there is no such entry: every store that could have it was asked */
  CS_END = 2,         /* a scan: nothing more, and no entries. A page that is OK is never empty. */
  CS_WOULD_BLOCK = 3, /* only ever the answer to "do not wait" */
  CS_TOO_SMALL = 4,   /* cs_get_into: the buffer */
  CS_EXISTS = 5,      /* CS_CALL_IF_ABSENT: there is a live entry; nothing was changed */

  /* Failures. "Retryable" of an error says whether the same call may succeed later. */
  CS_INVALID = -1,     /* an argument, an option or a struct is wrong: the message says which */
  CS_NO_MEMORY = -2,   /* out of memory */
  CS_CANCELLED = -3,   /* the call's token fired, or its scan was freed */
  CS_TIMEOUT = -4,     /* the call's time was up. A write may still have happened. */
  CS_CLOSED = -5,      /* the store is closed */
  CS_BUSY = -6,        /* at a limit, or in use by another: later */
  CS_UNSUPPORTED = -7, /* this store or this build cannot do that */
  CS_IO = -8,          /* the disk or the network failed */
  CS_CORRUPT = -9,     /* what is stored does not match its checksum or its format */
  CS_DENIED = -10,     /* no permission, or read-only */
  CS_TOO_LARGE = -11,  /* the value, or something else, is above the store's limit */
  CS_PARTIAL = -12,    /* some entries of a get_many or write failed (each tells), or a flush or
                        * close left something. Never for a single key. */
  CS_DEADLOCK = -13,   /* a blocking function was called inside a function that the library calls */
  CS_FORKED = -14,     /* the handle belongs to the process that forked this one */
  CS_INTERNAL = -15,   /* a bug of the library or of a store */
  CS_NO_SPACE = -16    /* the disk, the map or the byte budget is full */
};

/* A time limit that is none. */
#define CS_FOREVER UINT64_MAX

/* "CS_NOT_FOUND" and so on; "CS_UNKNOWN" for any other number. A constant. Any thread. */
CS_API const char* cs_status_name(cs_status status);

/* An error of your own, for a store of your own. `status` is a failure of the list above, `message`
 * one line of text; `details` (may be NULL) becomes the error's details, name by name. Everything
 * is copied. NULL: `status` is no failure, `message` is NULL, or no memory. */
CS_API cs_error* cs_error_new(cs_status status, const char* message, int retryable,
                              const cs_options* details);

/* Another reference to `error`, which is returned; give it back with cs_error_unref. */
CS_API cs_error* cs_error_ref(cs_error* error);

/* Drops a reference; the error is gone with the last one, and so is every pointer into it. */
CS_API void cs_error_unref(cs_error* error);

/* The failure's status: negative. CS_INVALID for NULL. */
CS_API cs_status cs_error_status(const cs_error* error);

/* One line for people, NUL-ended UTF-8: store, operation, cause, and where it is known what to do
 * about it. Never holds a value or a secret. Lives as long as the error. "" for NULL. */
CS_API const char* cs_error_message(const cs_error* error);

/* 1: the same call may succeed when it is made again later; 0: it will fail again. */
CS_API int cs_error_is_retryable(const cs_error* error);

/* One detail by name: store operation key path errno http_status s3_code request_id attempt hint.
 * Its bytes (a key may hold NUL) and in *size (may be NULL) how many; a NUL follows them. NULL if
 * the error has no such detail; *size is 0 then. Lives as long as the error. */
CS_API const void* cs_error_detail(const cs_error* error, const char* name, size_t* size);

/* The detail at `index`, counted from 0, with its name in *name (may be NULL): NULL past the last.
 * As cs_error_detail otherwise. */
CS_API const void* cs_error_detail_at(const cs_error* error, size_t index, const char** name,
                                      size_t* size);

/* What led to this error, counted from 0: for CS_PARTIAL one per entry or store that failed.
 * Borrowed: lives as long as `error` (take a reference to keep it). NULL past the last. */
CS_API const cs_error* cs_error_cause(const cs_error* error, size_t index);

/* ============================================================================================== */
/* 4. Values                                                                                      */
/* ============================================================================================== */

/* A value with a copy of these bytes. NULL and *error: CS_INVALID, CS_NO_MEMORY. Any thread. */
CS_API cs_value* cs_value_new(const void* data, size_t size, cs_error** error);

/* A value that IS these bytes, without a copy: they must not change until `release(context)` has
 * run, which happens when the last reference, yours or a store's, is gone. Rule "release". NULL and
 * *error: CS_INVALID, CS_NO_MEMORY; `release` is not run then. */
CS_API cs_value* cs_value_wrap(const void* data, size_t size, void (*release)(void* context),
                               void* context, cs_error** error);

/* Another reference to `value`, which is returned; give it back with cs_value_unref. */
CS_API cs_value* cs_value_ref(cs_value* value);

/* Drops a reference. The last one may run a release function on this stack. */
CS_API void cs_value_unref(cs_value* value);

/* The bytes, and in *size (may be NULL) how many. They never change, and live as long as the value.
 * Not NULL for an empty value; NULL and 0 for NULL. */
CS_API const void* cs_value_data(const cs_value* value, size_t* size);

/* ============================================================================================== */
/* 5. Results                                                                                     */
/* ============================================================================================== */

/* cs_result.flags and cs_entry.flags */
enum {
  CS_RESULT_STALE = 1u << 0, /* the store that should know did not answer; this is what was known */
  CS_RESULT_PENDING = 1u << 1, /* accepted, and not yet delivered to the last store */
  CS_RESULT_PARKED = 1u << 2,  /* its delivery was given up until somebody decides */
  CS_RESULT_PRIVATE = 1u << 3  /* heap bytes that nobody else sees: whoever holds the only reference
                                * may write into `data`, or make it a buffer of his language */
};

/* One entry of a scan's page, of a cs_get_many or of a cs_write. Everything in it belongs to the
 * result: take a reference (cs_value_ref, cs_error_ref) to keep something, copy the key. */
typedef struct cs_entry {
  cs_status status;      /* of this entry; CS_OK in a scan */
  uint32_t flags;        /* CS_RESULT_* */
  uint64_t total_size;   /* of the value in bytes, also when only keys were asked for */
  int64_t expires_at_ms; /* Unix time; 0: never */
  uint64_t version;      /* as in cs_result */
  uint64_t reserved;
  const void* key;
  size_t key_size;
  const void* data; /* of `value` */
  size_t size;
  cs_value* value; /* NULL: none (a miss, a failure, a write, keys only) */
  cs_error* error; /* set exactly when status < 0 */
} cs_entry;

/* How a call ended. A result is plain bytes: it may be copied with memcpy, as long as exactly one
 * of the copies is released. Who releases it: after a sync call you, whatever the status (the
 * struct that you pass is overwritten, never read). Results taken from a queue: you, each. In a
 * callback: the library, when you have returned; releasing or moving it yourself is fine. */
typedef struct cs_result {
  cs_status status;
  uint32_t flags;        /* CS_RESULT_* */
  uint64_t total_size;   /* of the whole value in bytes: also for a range and a stat */
  int64_t expires_at_ms; /* Unix time; 0: never */
  uint64_t version;      /* opaque, changes with every write; 0: not known */
  uint32_t tier;         /* which store answered: data stores are counted from 1, nearest first */
  uint32_t reserved32;
  const void* data; /* of `value`: lives as long as it. Not NULL when a get found an empty value. */
  size_t size;
  cs_value* value; /* get, get_range. Belongs to the result; cs_value_ref to keep it. */
  const cs_entry*
      entries; /* get_many and write: one per key or operation, in order; scan: a page */
  size_t count;
  cs_error*
      error; /* set exactly when status < 0. Belongs to the result; cs_error_ref to keep it. */
  void* user_data; /* of the call; NULL after a sync call */
  void* owner;     /* the library's */
  uint64_t reserved[3];
} cs_result;

/* An empty result, which may be released. */
#define CS_RESULT_INIT                                                         \
  {                                                                            \
    0, 0, 0, 0, 0, 0, 0, NULL, 0, NULL, NULL, 0, NULL, NULL, NULL, { 0, 0, 0 } \
  }

/* Releases what the result holds and sets all of it but user_data to 0: releasing it twice is the
 * same as once. May run release functions of values on this stack. */
CS_API void cs_result_release(cs_result* result);

/* Moves a result: *to is overwritten (never read, so release it first if it holds something); of
 * *from only user_data is left. The way to keep a result beyond its callback. */
CS_API void cs_result_move(cs_result* to, cs_result* from);

/* ============================================================================================== */
/* 6. Calls                                                                                       */
/* ============================================================================================== */

/* cs_call.flags. A flag that means nothing to a call is ignored by it. */
enum {
  CS_CALL_INLINE = 1u << 0,     /* `done` may run on the start function's stack, if the answer is
                                 * there at once; never inside cs_cancel_fire or an _unref */
  CS_CALL_SKIP_CACHE = 1u << 1, /* get: a chain asks its last store */
  CS_CALL_NO_FILL = 1u << 2,    /* get: a chain does not copy a hit into the stores above */
  CS_CALL_IF_ABSENT = 1u << 3,  /* put: only if there is no live entry, else CS_EXISTS */
  CS_CALL_NO_WAIT = 1u << 4,    /* any get and stat: answer from memory, or CS_WOULD_BLOCK and no
                                 * trace, as cs_get_try. Whatever else: CS_WOULD_BLOCK, undone. */
  CS_CALL_OWNED = 1u << 5,      /* get: a value that pins no memory of an engine and may be kept for
                                 * ever; garbage-collected languages want it */
  CS_CALL_KEEP = 1u << 6        /* close: leave what is not delivered in the journal */
};

/* cs_call.ack: how far a write has come when it completes. */
enum {
  CS_ACK_DEFAULT = 0,
  CS_ACK_ACCEPTED = 1,  /* in memory, in order, readable */
  CS_ACK_JOURNALED = 2, /* in a journal. CS_UNSUPPORTED where there is none. */
  CS_ACK_DELIVERED = 3  /* in the last store */
};

/* How one call is made; NULL is CS_CALL_INIT. Read until the function returns. */
typedef struct cs_call {
  uint32_t struct_size;
  uint32_t flags;      /* CS_CALL_* */
  uint64_t timeout_ms; /* 0 or CS_FOREVER: none. When you pass on what is left of a deadline, round
                        * it UP (0.4 ms is 1); where nothing is left, use CS_CALL_NO_WAIT. */
  cs_cancel* cancel;   /* NULL: cannot be cancelled */
  cs_queue* queue;     /* where the result goes, instead of `done` */
  uint64_t ttl_ms; /* put, write: the entry expires so long from now; 0: never. Less than 2^48. */
  uint32_t ack;    /* put, del, write: CS_ACK_* */
  uint32_t reserved;
} cs_call;

/* An ordinary call: no limit, no token, no queue, no time to live. */
#define CS_CALL_INIT \
  { (uint32_t)sizeof(cs_call), 0, 0, NULL, NULL, 0, 0, 0 }

/* A completion. `result` is the library's (see cs_result); result->user_data is user_data too. */
typedef void (*cs_done)(void* user_data, cs_result* result);

/* ---- Start functions ----
 * They never block. CS_OK: the call is started, and completes exactly once: by `done` on a library
 * thread, never on your stack (but see CS_CALL_INLINE); or by a result in call->queue; or, if both
 * are NULL, unseen (a failure then goes to the store's error handler, cs_on_error).
 * Anything else: refused. Nothing was started, nothing completes, user_data is still yours:
 *   CS_INVALID    store is NULL, `done` and a queue together, a bad cs_call
 *   CS_BUSY       the queue is full, or the runtime has as many calls as it takes
 *   CS_NO_MEMORY  no memory for the call itself
 *   CS_FORKED     the store or the queue is the parent process's
 * Every other failure, a bad key for instance, is a completion. Any of them may complete with
 *   CS_INVALID    the key, the data, the ttl
 *   CS_CLOSED     the store is closed
 *   CS_TIMEOUT, CS_CANCELLED   see below
 *   CS_IO, CS_CORRUPT, CS_DENIED, CS_NO_MEMORY   what the store met
 *
 * A call completes at its deadline (CS_TIMEOUT) or soon after its token fires (CS_CANCELLED), even
 * if a store hangs; what the store answers later is dropped. A write that ended so has happened
 * once or not at all, or still will. Writes of one key that one thread starts one after another
 * take effect in that order. */

/* The value of `key`. CS_OK with value, data, size, total_size; CS_NOT_FOUND. */
CS_API cs_status cs_get(cs_store* store, const void* key, size_t key_size, const cs_call* call,
                        cs_done done, void* user_data);

/* Sets `key` to a copy of these bytes. CS_OK; CS_EXISTS (with CS_CALL_IF_ABSENT); CS_TOO_LARGE,
 * CS_NO_SPACE: the key is as it was; CS_UNSUPPORTED: a ttl_ms or an ack that the store has not. */
CS_API cs_status cs_put(cs_store* store, const void* key, size_t key_size, const void* data,
                        size_t size, const cs_call* call, cs_done done, void* user_data);

/* As cs_put, sharing `value` instead of copying: the store takes a reference of its own where it
 * keeps the bytes. NULL is CS_INVALID (an empty value is not NULL). */
CS_API cs_status cs_put_value(cs_store* store, const void* key, size_t key_size, cs_value* value,
                              const cs_call* call, cs_done done, void* user_data);

/* Removes `key`. CS_OK, also if there was nothing to remove. */
CS_API cs_status cs_del(cs_store* store, const void* key, size_t key_size, const cs_call* call,
                        cs_done done, void* user_data);

/* The values of `count` keys, at most 1048576. `keys` holds them one directly after the other,
 * without separators; key_sizes[i] is the size of the i-th. Both are read only until the function
 * returns. One entry per key, in order, each CS_OK, CS_NOT_FOUND or a failure of its own.
 * CS_OK: no entry failed (misses are no failures); CS_PARTIAL: some did; all failed: the first
 * one's status; CS_INVALID: one of the keys is no key, none was looked up; CS_TOO_LARGE: too many.
 * With CS_CALL_NO_WAIT all or none are answered. */
CS_API cs_status cs_get_many(cs_store* store, const void* keys, const uint32_t* key_sizes,
                             size_t count, const cs_call* call, cs_done done, void* user_data);

/* `length` bytes of the value of `key`, from `offset`. What lies past the end is cut off: an offset
 * at or past the end is CS_OK with 0 bytes. UINT64_MAX is "to the end", 0 is nothing. total_size is
 * that of the whole value. CS_OK; CS_NOT_FOUND. */
CS_API cs_status cs_get_range(cs_store* store, const void* key, size_t key_size, uint64_t offset,
                              uint64_t length, const cs_call* call, cs_done done, void* user_data);

/* What is known of `key` without its value: total_size, expires_at_ms, version. value, data and
 * size stay empty. CS_OK; CS_NOT_FOUND. */
CS_API cs_status cs_stat(cs_store* store, const void* key, size_t key_size, const cs_call* call,
                         cs_done done, void* user_data);

/* Writes the batch, in its order. Empties it, exactly if this function returns CS_OK: it can be
 * filled again at once. One entry per operation, in order. Atomic where the store has
 * CS_CAP_ATOMIC_BATCH; elsewhere others may see a part of it, and a part may fail. call->ttl_ms
 * holds for every put in it.
 * CS_OK; CS_PARTIAL: some failed; all failed: the first one's status; CS_UNSUPPORTED: with
 * CS_CALL_IF_ABSENT; CS_INVALID: `batch` is NULL. */
CS_API cs_status cs_write(cs_store* store, cs_batch* batch, const cs_call* call, cs_done done,
                          void* user_data);

/* Completes when everything that was acknowledged before it, of the keys that begin with `prefix`
 * (size 0: all), is as durable as the store makes it and delivered to the last store behind it.
 * CS_OK; CS_PARTIAL: something could not be delivered; CS_TIMEOUT: not yet, delivery goes on. */
CS_API cs_status cs_flush(cs_store* store, const void* prefix, size_t prefix_size,
                          const cs_call* call, cs_done done, void* user_data);

/* Closes `store`: new calls on it answer CS_CLOSED, those under way finish, what it has queued is
 * delivered (CS_CALL_KEEP: left in the journal), and every store that it wraps and that no other
 * open store wraps closes in the same way; then this completes. Closing again waits for the first
 * close and tells its outcome. Handles do not keep a store open: they stay valid, answering
 * CS_CLOSED, until their last unref.
 * CS_OK; CS_PARTIAL: something was left undelivered; CS_TIMEOUT, CS_CANCELLED: the started calls
 * that it waited for complete with CS_CANCELLED, and the close goes on in the background. */
CS_API cs_status cs_store_close(cs_store* store, const cs_call* call, cs_done done,
                                void* user_data);

/* ---- The same, waiting ----
 * They may block. They run on your thread, as fast as the engine, and return result->status.
 * `result` may be NULL, except for cs_get_sync, cs_get_many_sync, cs_get_range_sync, cs_stat_sync
 * and cs_scan_next_sync, where that is CS_INVALID. They fail as the start functions and their
 * completions do, and with CS_DEADLOCK: called inside a function that the library calls (with
 * CS_CALL_NO_WAIT they may be); CS_INVALID: call->queue is set. A disk that is being read cannot be
 * interrupted: the deadline is looked at before and between such steps. cs_write_sync empties the
 * batch as soon as the store was asked, and leaves it alone if it was refused before. */
CS_API cs_status cs_get_sync(cs_store* store, const void* key, size_t key_size, const cs_call* call,
                             cs_result* result);
CS_API cs_status cs_put_sync(cs_store* store, const void* key, size_t key_size, const void* data,
                             size_t size, const cs_call* call, cs_result* result);
CS_API cs_status cs_put_value_sync(cs_store* store, const void* key, size_t key_size,
                                   cs_value* value, const cs_call* call, cs_result* result);
CS_API cs_status cs_del_sync(cs_store* store, const void* key, size_t key_size, const cs_call* call,
                             cs_result* result);
CS_API cs_status cs_get_many_sync(cs_store* store, const void* keys, const uint32_t* key_sizes,
                                  size_t count, const cs_call* call, cs_result* result);
CS_API cs_status cs_get_range_sync(cs_store* store, const void* key, size_t key_size,
                                   uint64_t offset, uint64_t length, const cs_call* call,
                                   cs_result* result);
CS_API cs_status cs_stat_sync(cs_store* store, const void* key, size_t key_size,
                              const cs_call* call, cs_result* result);
CS_API cs_status cs_write_sync(cs_store* store, cs_batch* batch, const cs_call* call,
                               cs_result* result);
CS_API cs_status cs_flush_sync(cs_store* store, const void* prefix, size_t prefix_size,
                               const cs_call* call, cs_result* result);
CS_API cs_status cs_store_close_sync(cs_store* store, const cs_call* call, cs_result* result);

/* A get that never blocks, and is allowed everywhere. Answered: a get in every respect (recency,
 * metrics, time to live). CS_WOULD_BLOCK: no trace (not counted, not touched, nothing fetched); ask
 * again with cs_get. CS_NOT_FOUND only when no store below could have the key. `result` is yours to
 * release, whatever the status; NULL is CS_INVALID. */
CS_API cs_status cs_get_try(cs_store* store, const void* key, size_t key_size, cs_result* result);

/* A get into memory of yours. *size (not NULL) is set to the size of the whole value if there is
 * one, else to 0. May block, unless with CS_CALL_NO_WAIT.
 * CS_OK: it is in `buffer`; CS_TOO_SMALL: `capacity` is less than *size, `buffer` is untouched
 * (NULL with capacity 0 asks for the size); CS_NOT_FOUND, CS_WOULD_BLOCK; else a failure and
 * *error, as cs_get_sync. */
CS_API cs_status cs_get_into(cs_store* store, const void* key, size_t key_size, const cs_call* call,
                             void* buffer, size_t capacity, size_t* size, cs_error** error);

/* ============================================================================================== */
/* 7. Batches and scans                                                                           */
/* ============================================================================================== */

/* A list of puts and dels, to be written by cs_write. NULL: no memory. */
CS_API cs_batch* cs_batch_new(void);

/* Frees the batch, and what is still in it. */
CS_API void cs_batch_free(cs_batch* batch);

/* Add one operation; cs_batch_put copies the bytes, cs_batch_put_value takes a reference of its
 * own. A key that comes twice is written twice, in order. CS_OK; CS_INVALID: the key or the data;
 * CS_TOO_LARGE: 1048576 operations are in it; CS_NO_MEMORY. The batch is as it was then. */
CS_API cs_status cs_batch_put(cs_batch* batch, const void* key, size_t key_size, const void* data,
                              size_t size);
CS_API cs_status cs_batch_put_value(cs_batch* batch, const void* key, size_t key_size,
                                    cs_value* value);
CS_API cs_status cs_batch_del(cs_batch* batch, const void* key, size_t key_size);

/* cs_range.flags */
enum {
  CS_SCAN_REVERSE = 1u << 0,  /* from the greatest key down; begins below `end` */
  CS_SCAN_KEYS_ONLY = 1u << 1 /* entries without values */
};

/* Which keys a scan covers, in the order of their bytes (memcmp). Sizes 0 are "no limit"; no bound
 * is longer than a key. Read until cs_scan_new returns. */
typedef struct cs_range {
  uint32_t struct_size;
  uint32_t flags;     /* CS_SCAN_* */
  const void* prefix; /* only keys that begin with it */
  size_t prefix_size;
  const void* start; /* inclusive, also in reverse */
  size_t start_size;
  const void* end; /* exclusive, also in reverse */
  size_t end_size;
  uint32_t page_size; /* entries of a page, at most 65536; 0: 256. A page also ends at 8 MiB. */
  uint32_t reserved;
} cs_range;

/* Every key, forward, with its value. */
#define CS_RANGE_INIT \
  { (uint32_t)sizeof(cs_range), 0, NULL, 0, NULL, 0, NULL, 0, 0, 0 }

/* A scan over `range` (NULL: every key). It holds its store, and nothing of the engine between two
 * pages: entries written meanwhile may appear or not, each key at most once. NULL and *error:
 * CS_INVALID, CS_UNSUPPORTED (the store has not CS_CAP_SCAN), CS_NO_MEMORY, CS_FORKED. */
CS_API cs_scan* cs_scan_new(cs_store* store, const cs_range* range, cs_error** error);

/* The next page: result->entries with key, value, total_size, expires_at_ms, version. One page at a
 * time: while one is under way another is refused with CS_BUSY; in its completion the next may be
 * started. As the start functions otherwise.
 * CS_OK: at least one entry; CS_END: nothing more, and no entries, as often as you ask; CS_CLOSED.
 * After a failure the scan stands where it stood: the same page may be asked for again. */
CS_API cs_status cs_scan_next(cs_scan* scan, const cs_call* call, cs_done done, void* user_data);

/* The same, waiting: see "The same, waiting" above. May block. */
CS_API cs_status cs_scan_next_sync(cs_scan* scan, const cs_call* call, cs_result* result);

/* Frees the scan. A page that is under way is cancelled; its completion still comes. Any thread,
 * but not beside a call of cs_scan_next. */
CS_API void cs_scan_free(cs_scan* scan);

/* ============================================================================================== */
/* 8. Cancel tokens and queues                                                                    */
/* ============================================================================================== */

/* A token that has not fired. NULL: no memory. */
CS_API cs_cancel* cs_cancel_new(void);

/* Another reference to `cancel`, which is returned; give it back with cs_cancel_unref. */
CS_API cs_cancel* cs_cancel_ref(cs_cancel* cancel);

/* Drops a reference. Calls under way keep the token; dropping it cancels nothing. */
CS_API void cs_cancel_unref(cs_cancel* cancel);

/* Fires the token, once and for all: every call that has it, and every call that will get it,
 * completes soon with CS_CANCELLED, unless it is already done. Never blocks; calls nothing back on
 * this stack. Firing again does nothing. Allowed everywhere. */
CS_API void cs_cancel_fire(cs_cancel* cancel);

/* 1 if it has fired, else 0 (also for NULL). */
CS_API int cs_cancel_is_fired(const cs_cancel* cancel);

/* A queue collects the results of calls whose call->queue it is, instead of callbacks. Its
 * `capacity` (1 to 1048576) counts calls that were started and not yet taken: each has its slot
 * from the start, so that posting a result never fails and never waits; a call that finds no slot
 * is refused with CS_BUSY. NULL and *error: CS_INVALID, CS_NO_MEMORY, CS_IO (no file descriptor).
 */
CS_API cs_queue* cs_queue_new(uint32_t capacity, cs_error** error);

/* Drops your handle. Calls under way keep the queue; results that nobody can take any more are
 * released unseen, so drain it first if they matter. Nobody may be in cs_queue_take. */
CS_API void cs_queue_unref(cs_queue* queue);

/* Moves up to `capacity` results to `out` (overwritten, each is yours to release), oldest first,
 * and their number to *count. Waits for the first of them up to `timeout_ms`: 0 polls, CS_FOREVER
 * waits for ever; it may block unless timeout_ms is 0. Several threads may take from one queue.
 * CS_OK: *count > 0. CS_WOULD_BLOCK: none came in time, or cs_queue_wake was called. CS_INVALID: a
 * NULL, or capacity 0. CS_DEADLOCK, CS_FORKED. */
CS_API cs_status cs_queue_take(cs_queue* queue, cs_result* out, size_t capacity,
                               uint64_t timeout_ms, size_t* count);

/* A file descriptor that is readable while there is something to take, or a wake, for poll and its
 * relatives. It is the queue's own: never read, write or close it. -1 for NULL. */
CS_API int cs_queue_fd(cs_queue* queue);

/* Makes one take return, whatever is in the queue: the one that waits now, or else the next. Any
 * thread, also in a callback. */
CS_API void cs_queue_wake(cs_queue* queue);

/* ============================================================================================== */
/* 9. Options and runtime                                                                         */
/* ============================================================================================== */

/* Named texts for a constructor. NULL: no memory. */
CS_API cs_options* cs_options_new(void);

/* Frees the builder; what was made with it does not need it. */
CS_API void cs_options_free(cs_options* options);

/* Sets option `name`, replacing what it was; both texts are copied. Names and values are checked by
 * the constructor that gets them, which lists them with its comment. Values are
 *   sizes      bytes: 512, 64KiB, 500MB (10^6), 10GiB (2^30)
 *   durations  with a unit: 250ms, 2s, 5m, 1h
 *   counts     12
 *   percent    10% or 10
 *   flags      true or false
 *   choices    one of the words that are listed
 * CS_OK; CS_INVALID: a NULL, or a name of 0 or more than 256 bytes; CS_TOO_LARGE: a value above
 * 64 KiB; CS_NO_MEMORY. */
CS_API cs_status cs_options_set(cs_options* options, const char* name, const char* value);

/* The stores that are made with these options run in `runtime` (of which they take a reference);
 * NULL: that of the store that they wrap, else the default one. CS_OK, CS_INVALID, CS_FORKED. */
CS_API cs_status cs_options_set_runtime(cs_options* options, cs_runtime* runtime);

/* A runtime of your own: the threads behind a group of stores. There is a default one, so most
 * programs need none. Its threads start with the first store that needs them, have names that begin
 * with "cs-", block all signals, and are gone when the last store is. Never blocks.
 * Options: workers (count; 0: twice the cores, at least 8; at most 1024), max_calls (count,
 * 1048576: calls under way; one more is refused with CS_BUSY). NULL and *error: CS_INVALID,
 * CS_NO_MEMORY. */
CS_API cs_runtime* cs_runtime_new(const cs_options* options, cs_error** error);

/* Drops your handle. Stores keep their runtime. */
CS_API void cs_runtime_unref(cs_runtime* runtime);

/* Waits until no store, call, callback or thread of `runtime` (NULL: the default one) is left, at
 * most `timeout_ms` (0: looks once, CS_FOREVER: no limit). What keeps a runtime are handles of
 * stores: unref them first. For hosts that unload what used the library. May block.
 * CS_OK; CS_TIMEOUT: something is left; CS_DEADLOCK; CS_FORKED. */
CS_API cs_status cs_runtime_wait(cs_runtime* runtime, uint64_t timeout_ms);

/* ============================================================================================== */
/* 10. Stores                                                                                     */
/* ============================================================================================== */

/* ---- Constructors ----
 * They may block. `options` may be NULL; it is read, not kept. The handle is yours: cs_store_unref.
 * Stores that are wrapped are not consumed: the wrapper takes references of its own. NULL and
 * *error: CS_INVALID for an unknown option (the message lists the known ones), a value of the wrong
 * form or a bad argument; CS_UNSUPPORTED if this build has no such store; CS_CLOSED, CS_FORKED for
 * a store to be wrapped; else what the engine met. Nothing is left open then. */

/* What `text` names, opened: one store, or a whole chain, in the form that the command line, a
 * configuration file and every language share. `a > b` is a chain, the fastest first; parentheses
 * group. A store is scheme:rest?name=value&name=value, a manager is name(arguments, name=value,
 * store); arguments and options are those of the constructors below:
 *   memory:?max_bytes=64MiB          lru(MAX_BYTES, store)
 *   file:/dir                        behind(store)
 *   lmdb:/dir?bucket=name            timeout(2s, store)
 *   leveldb:/dir                     metrics(NAME, store)     fault(store)
 *                                    log(store): lines to the standard error
 *                                    hash(DIGEST, store)
 *                                    chain(writes=through, fill=off, a > b): a chain's options
 * Values are percent-decoded (%20 is a space); `${NAME}` is replaced by what the environment has,
 * and never printed. At most 64 KiB, 32 levels of parentheses. `options`: the runtime of all that
 * is opened, and options of the outermost store, which replace those of the text.
 * NULL and *error: CS_INVALID, whose message names the column, what stood there and what could
 * have: "column 5: unknown manager 'lur'; did you mean 'lru'?" (also: one directory twice);
 * CS_UNSUPPORTED: not in this build; else as the constructor. Nothing is left open then. */
CS_API cs_store* cs_store_open(const char* text, const cs_options* options, cs_error** error);

/* A map in memory that takes at most `max_bytes` (0: CS_INVALID): at the limit a put answers
 * CS_NO_SPACE. It evicts nothing by itself; an LRU around it does. cs_store_set: max_bytes.
 * Options:
 *   shards  count, 16: parts that can be written at the same time, 1 to 1024, a power of two
 * Failures: CS_INVALID, CS_NO_MEMORY. */
CS_API cs_store* cs_memory_new(uint64_t max_bytes, const cs_options* options, cs_error** error);

/* One file per key below `directory`, which is made if it is not there: `a/b` is DIRECTORY/a/b,
 * and the file holds exactly the value. Keys that cannot be names are escaped; no key leaves the
 * directory, and `a` and `a/b` may both be there. Time to live and checksum are extended
 * attributes: where the file system has none, a ttl_ms is CS_UNSUPPORTED. A batch is not atomic.
 * Options:
 *   durability      full | cache, full: full survives power loss once a write is acknowledged.
 *                   cache survives a killed process; only for a directory that was made with it,
 *                   which is emptied when the machine went down without a close.
 *   verify          on | off, on: check checksums when whole values are read
 *   max_value_size  size, 0: the largest value that is taken; 0: what the file system takes
 * Failures: CS_INVALID (also: the path is a file, or the directory has another durability),
 * CS_BUSY (open already, here or in another process), CS_DENIED, CS_NO_SPACE, CS_IO. */
CS_API cs_store* cs_filesystem_new(const char* directory, const cs_options* options,
                                   cs_error** error);

/* One bucket (a named database) of an LMDB file. `path` is a directory, made if it is not there,
 * or an LMDB file. `bucket` NULL is "chainstore", or with format=raw the unnamed database. Other
 * buckets of the file, and other processes, may be used beside it; the same bucket twice in one
 * process is CS_BUSY: share the handle. Concurrent writers share a commit; a batch is atomic.
 * Options:
 *   durability  full | cache, full: as cs_filesystem_new
 *   format      record | raw, record: record has time to live, version and checksum; raw is the
 *               plain values of other programs' databases, without these
 *   verify      on | off, on: check checksums on every read
 *   map_size    size, 1TiB: the most that the file may grow to, at least 1MiB. Costs address space
 *               only; unless given, it is less where the system refuses a terabyte.
 * Failures: CS_INVALID, CS_BUSY, CS_CORRUPT, CS_DENIED, CS_NO_SPACE, CS_NO_MEMORY (address space),
 * CS_UNSUPPORTED (a database with duplicates or number keys), CS_IO. */
CS_API cs_store* cs_lmdb_new(const char* path, const char* bucket, const cs_options* options,
                             cs_error** error);

/* A LevelDB database in `directory`, which is made if it is not there. A batch is atomic. It
 * cannot tell what an entry takes: an LRU around it counts keys, values and 64 bytes each.
 * Options:
 *   durability         full | cache, full: as cs_filesystem_new
 *   format             record | raw, record: as cs_lmdb_new
 *   verify             on | off, on: check checksums on every read
 *   write_buffer_size  size, 4MiB: memory for new entries before they become a table
 *   max_open_files     count, 1000: table files held open
 *   block_cache        size, 8MiB: memory for uncompressed blocks
 *   block_size         size, 4KiB: bytes of a block
 *   bloom_bits         count, 10: bits per key of the filter that saves disk reads for misses; 0:
 *                      none
 *   compression        snappy | none, snappy: of blocks
 * Failures: CS_INVALID, CS_BUSY, CS_CORRUPT, CS_DENIED, CS_NO_SPACE, CS_UNSUPPORTED, CS_IO. */
CS_API cs_store* cs_leveldb_new(const char* directory, const cs_options* options, cs_error** error);

/* A bucket of S3, or of a server that speaks its protocol. An object's body is exactly the value;
 * its checksum, and its expiry if it has one, are in its metadata. Keys that S3 cannot keep or list
 * (no UTF-8, control characters, too long behind the prefix) are escaped below PREFIX.chainstore/k/.
 * No server is asked here: the first operation tells whether the bucket is there. Writes of one key
 * through one handle keep their order. A deadline or a cancel ends the transfer itself. Failed
 * requests are sent again with growing pauses, never beyond the deadline. A batch is not atomic. A
 * scan in reverse lists its whole range for each page. Of errors the details http_status, s3_code,
 * request_id and attempt are filled in.
 * Options:
 *   endpoint              text: http://HOST:PORT or https://HOST of another server than AWS's; else
 *                         $AWS_ENDPOINT_URL_S3. It must be given where $AWS_USE_FIPS_ENDPOINT,
 *                         $AWS_USE_DUALSTACK_ENDPOINT or the profile wants such an endpoint
 *   region                text: the bucket's; else $AWS_REGION, else us-east-1; corrected by what
 *                         the server says
 *   prefix                text: stands before every key, at most 512 bytes
 *   addressing            auto | path | virtual, auto: where the bucket's name goes; auto: into the
 *                         host name on AWS if it can be there, else into the path
 *   credentials           auto | options | environment | profile | web_identity | container |
 *                         instance | anonymous, auto: where the keys come from. options: the next
 *                         options. environment: $AWS_ACCESS_KEY_ID and its kin. profile: AWS's
 *                         profile files, with all that a profile may say (keys, source_profile,
 *                         credential_source, credential_process, a web identity, SSO with a cached
 *                         token). web_identity: $AWS_WEB_IDENTITY_TOKEN_FILE, through STS.
 *                         container: the agent of ECS or EKS. instance: EC2's metadata service,
 *                         version 2. auto: the first of these that is set up; what is set up and
 *                         fails is not passed by. anonymous: requests are not signed; never by
 *                         itself. Variables are read when the store is made, files when keys are
 *                         looked for: at the first request, from 5 minutes before keys expire
 *                         (which are used meanwhile), and once when the server says they have.
 *   profile               text: of the profile files; else $AWS_PROFILE, else default
 *   access_key            text: the key's id
 *   secret_key            text: its secret. It is wiped from memory with the store, and is in no
 *                         message.
 *   session_token         text: of temporary keys
 *   acl                   none | private | public-read | public-read-write | authenticated-read,
 *                         none: sent with every put; none: the bucket decides
 *   storage_class         text: for instance STANDARD_IA
 *   sse                   none | s3 | kms, none: encryption with keys that the server keeps
 *   sse_kms_key           text: the key's id for sse=kms
 *   sse_customer_key      text: 32 bytes in base64, a key that the server uses and forgets
 *   metadata              text: name=value,name=value kept with every object
 *   tags                  text: name=value,name=value kept with every object
 *   content_type          text: of every object
 *   cache_control         text: of every object
 *   requester_pays        flag, false: whether you pay for requests
 *   bucket_owner          text: the account that must own the bucket
 *   checksum              crc32c | md5 | none, crc32c: what a put carries for the server to check
 *   payload               auto | signed | unsigned, auto: whether the signature covers the body;
 *                         auto: unless it goes to AWS over https
 *   verify                on | off, on: check checksums when whole values are read
 *   ttl                   flag, true: whether entries may have a time to live; false: a scan of
 *                         keys needs no request per key
 *   max_value_size        size, 5GiB: the largest value that is taken
 *   multipart_threshold   size, 16MiB: values from this size are put in parts (a conditional put
 *                         never is) and got in parts, 5MiB to 5GiB
 *   part_size             size, 8MiB: of a part, 5MiB to 5GiB; larger where there would be 10,000
 *                         parts or more
 *   part_concurrency      count, 4: parts of one value at once, 1 to 64
 *   upload_notes          text, "": a directory where puts in parts are noted while they run: those
 *                         that a crash or a power cut left are aborted when a store opens the
 *                         bucket
 *   conditional           trust | probe | off, trust: whether the server keeps the condition of
 *                         CS_CALL_IF_ABSENT; probe: it is tried once before the first such put;
 *                         off, or it does not: CS_UNSUPPORTED
 *   prices                text, "": what 1,000 requests (get, put, list, delete) and a GB (sent,
 *                         received) cost: get=0.0004,put=0.005,received=0.09. cs_metrics_text tells
 *   attempts              count, 3: how often a request is sent at most
 *   concurrency           count, 16: requests at once for one get_many, write or page of a scan
 *   connections           count, 64: connections at once
 *   connect_timeout       duration, 3s: for a connection to be made
 *   stall_timeout         duration, 30s: a transfer without a byte for so long has failed
 *   ca_file               text: certificates to trust; else $AWS_CA_BUNDLE, $CURL_CA_BUNDLE,
 *                         $SSL_CERT_FILE, the system's
 *   ca_path               text: the same as a directory
 *   insecure_skip_verify  flag, false: trusts every certificate; for tests, never for data
 *   proxy                 text: http://HOST:PORT; else that of the environment
 * Failures: CS_INVALID, CS_UNSUPPORTED. Of operations: CS_INVALID (no such bucket, another region),
 * CS_DENIED (keys, permissions, certificates), CS_BUSY (throttled), CS_IO (the network, the
 * server), CS_TOO_LARGE, CS_CORRUPT (checksum), CS_UNSUPPORTED (an archived object). */
CS_API cs_store* cs_s3_new(const char* bucket, const cs_options* options, cs_error** error);

/* Keys for an S3 store, as a function of yours fills them in: all of it is 0 before, but struct_size,
 * which is the library's: a member beyond it is not there. The texts are copied when the function has
 * returned; they must live until it is called again or its data is released. */
typedef struct cs_s3_keys {
  uint32_t struct_size;
  uint32_t reserved;
  int64_t expires_at_ms;     /* Unix time; 0: never */
  const char* access_key;    /* the key's id: not NULL, not empty */
  const char* secret_key;    /* the same. The library's copy is wiped when it goes. */
  const char* session_token; /* of temporary keys; NULL: none */
} cs_s3_keys;

/* Finds keys. CS_OK: they are in *keys. CS_NOT_FOUND: there are none, CS_DENIED. CS_IO, CS_BUSY,
 * CS_TIMEOUT: perhaps later; what waits fails with it, and the next request asks again. Any other
 * status: CS_DENIED. It may take its time: it runs on a thread of the store's own, once at a time
 * for each store (a call that waits keeps its deadline; cs_store_close waits for it). Rules
 * "Callbacks" and "Blocking". */
typedef cs_status (*cs_s3_provide)(void* user_data, cs_s3_keys* keys);

/* Every S3 store that cs_s3_new makes with these options asks `provide` for its keys, and nobody
 * else: at its first request, again from 5 minutes before they expire (they are used meanwhile), and
 * once when the server says that they have expired. The options credentials, access_key and profile
 * must not be set beside it: cs_s3_new is CS_INVALID then. cs_store_open does not look at it, and
 * cs_store_describe shows credentials=***. Replaces an earlier one; a NULL `provide` takes it back,
 * and the other two arguments are not looked at. `release` runs when these options and all stores
 * made with them are gone; rule "release". CS_OK; CS_INVALID: `options` is NULL; CS_NO_MEMORY. */
CS_API cs_status cs_options_set_s3_keys(cs_options* options, cs_s3_provide provide, void* user_data,
                                        void (*release)(void* user_data));

/* A URL by which whoever has it may do `method` (GET, PUT, HEAD or DELETE) with the key's object, for
 * `expires_ms` (1 s to 7 days, in whole seconds) and with the rights of the store's keys. `store`
 * is one that cs_s3_new made. The text is not ended by a zero; it is yours to unref. May block: the
 * keys may have to be fetched. NULL and *error: CS_INVALID, CS_UNSUPPORTED (a build without S3),
 * CS_DENIED (no keys), CS_TIMEOUT, CS_CANCELLED, CS_CLOSED, CS_DEADLOCK, CS_FORKED. */
CS_API cs_value* cs_s3_presign(cs_store* store, const char* method, const void* key,
                               size_t key_size, uint64_t expires_ms, const cs_call* call,
                               cs_error** error);

/* `count` stores (1 to 32), the fastest first, as one. A get asks them in turn; a hit further down
 * is copied into the stores above. A write goes to the lowest store first, then upward, in one
 * order per key; a reader never sees something older than what was acknowledged. A store above
 * that fails is passed by and reported (cs_on_error), and heals by itself.
 * Options:
 *   writes  behind | through, behind: behind acknowledges a write when the write-behind among the
 *           stores has accepted it and the stores above it have it; where there is none, one is
 *           put in front of the second store, to which all options but these two go. through: when
 *           every store has it.
 *   fill    async | sync | off, async: a hit is copied upward in the background, before the get
 *           completes, or not at all
 * Failures: CS_INVALID (also: no store, a NULL, one store twice). */
CS_API cs_store* cs_chain_new(cs_store* const* stores, size_t count, const cs_options* options,
                              cs_error** error);

/* `inner`, a store or a whole chain, of which only the most recently used entries stay, within
 * `max_bytes` of what they take in it (0: CS_INVALID). The ceiling is never exceeded: room is made
 * before a write. It never evicts everything for one value: a copy by a chain that is larger than
 * the capacity is passed by, a put of one is CS_TOO_LARGE. Around a persistent store it is warm
 * after a restart. It is never CS_CAP_DURABLE: what it evicts is gone.
 * Options:
 *   policy            lru | s3fifo, lru: which entries stay: the most recently used, or those that
 *                     S3-FIFO (Yang et al., SOSP 2023) keeps: what is used once, as by a scan, goes
 *                     first
 *   cushion           percent, 10%: share of the capacity that is freed whenever it was full
 *   oversize          bypass | reject, bypass: what becomes of a chain's copy that is too large
 *   shards            count, 0: parts with a lock each; 1 is exact LRU; 0: 16 from 16 MiB on, else
 *                     1
 *   recency_interval  duration, 2s: how often the order of use is written down, around a store
 *                     that has a directory
 * Failures: CS_INVALID; what `inner` met. */
CS_API cs_store* cs_lru_new(cs_store* inner, uint64_t max_bytes, const cs_options* options,
                            cs_error** error);

/* `inner`, each operation of which is given `timeout_ms` (0: CS_INVALID) at most: what takes longer
 * fails with CS_TIMEOUT, and the error handler is told (cs_on_error). A call's own deadline is never
 * extended. Started calls end at the limit even if `inner` hangs; sync calls pass the shorter
 * deadline down, and a read of a local disk, which cannot be interrupted, ends late with what it
 * found. A write that was given up may still happen: its completion is not run twice, and if it
 * fails after all the error handler is told. cs_flush has no limit but its caller's.
 * cs_store_set: timeout. There are no options. Failures: CS_INVALID. */
CS_API cs_store* cs_timeout_new(cs_store* inner, uint64_t timeout_ms, const cs_options* options,
                                cs_error** error);

/* `inner`, to which writes are delivered in the background: a put or del completes when it is
 * queued, and is read from the queue until `inner` has it. Per key deliveries keep their order; a
 * newer write replaces one that waits. Failed deliveries are retried; each change of state is told
 * to the error handler. cs_flush waits for what is queued, cs_store_close delivers it. The queue
 * is in memory in this version: what was not delivered is lost in a crash.
 * Options:
 *   journal          auto | off, auto: where the queue is kept: in memory, both of them
 *   max_entries      count, 100000: keys that may wait
 *   max_bytes        size, 256MiB: bytes of keys and values that may wait
 *   overflow         block | fail | through, block: a write that finds the queue full waits for
 *                    room until its deadline, fails with CS_BUSY, or is written to `inner` first
 *   concurrency      count, 16: operations on their way to `inner` at once
 *   attempt_timeout  duration, 5m: the longest that one attempt may take
 *   settle           duration, 30s: how long an attempt without a clear answer may still take
 *                    effect by itself; no other operation of its key is sent before
 *   retry_min        duration, 50ms: the shortest wait before another attempt
 *   retry_max        duration, 60s: the longest
 *   drain_idle       duration, 10s: a close without a time limit gives up when nothing was
 *                    delivered for so long
 * Failures: CS_INVALID. */
CS_API cs_store* cs_write_behind_new(cs_store* inner, const cs_options* options, cs_error** error);

/* `inner`, of which everything is counted under `name` (any text but ""): operations by how they
 * ended, hits and misses, bytes, and how long they took. cs_metrics_text tells. A hit from memory
 * costs a few nanoseconds more: of the gets of a store that may answer from memory one in 64 is
 * timed, of everything else each. There are no options. Failures: CS_INVALID. */
CS_API cs_store* cs_metrics_new(cs_store* inner, const char* name, const cs_options* options,
                                cs_error** error);

/* The level of a line of cs_logging_new. */
enum {
  CS_LOG_DEBUG = 0,   /* an answer other than done: a miss, an entry that was there already */
  CS_LOG_INFO = 1,    /* done */
  CS_LOG_WARNING = 2, /* a failure that may pass: retryable */
  CS_LOG_ERROR = 3    /* any other failure */
};

/* A log function: one line without a line feed, `size` bytes and a NUL after them, borrowed until
 * it returns. It runs on the thread that completes the operation, perhaps the caller's own, and
 * several at once: rules "Callbacks" and "Blocking". */
typedef void (*cs_log)(void* user_data, int32_t level, const char* message, size_t size);

/* `inner`, of which each operation leaves one line with `log`:
 *   op=get store=lmdb:/dir key="user/1" bytes=120 tier=2 status=CS_OK us=14
 * in this order, without the fields that an operation has not. Keys are quoted, with " and \ behind
 * a backslash and what is not printable ASCII as \xNN, and cut (then ... follows); a failure has
 * error="..." with its message. Values are never logged. What only said that it would block leaves
 * no line. Rule "release". cs_store_set: all of the options.
 * Options:
 *   level      debug | info | warning | error, info: the least level that is logged
 *   sample     count, 1: one in so many operations is logged; failures always are
 *   key_bytes  size, 64: how much of a key is shown
 * Failures: CS_INVALID (also: `log` is NULL). */
CS_API cs_store* cs_logging_new(cs_store* inner, cs_log log, void* user_data,
                                void (*release)(void* user_data), const cs_options* options,
                                cs_error** error);

/* `inner`, which sees a digest of each key for its key: "sha256" or "xxh3-128" (32 bytes or 16, in
 * hexadecimal). For stores whose keys must be short, or must not be read. The whole key is kept
 * beside the value and compared: two keys with one digest never get each other's value. A read of a
 * key whose digest belongs to another key is CS_NOT_FOUND; with xxh3-128, which is fast but no
 * cryptographic hash, each put and del looks first who is there, and a put onto another key's entry
 * is CS_UNSUPPORTED. Scans give the original keys in their order, and read all of `inner` for every
 * page: ask for large ones. A range is read from the beginning of the entry. `inner` must hold
 * nothing else: what no cs_key_hash_new wrote is CS_CORRUPT. There are no options.
 * Failures: CS_INVALID. */
CS_API cs_store* cs_key_hash_new(cs_store* inner, const char* digest, const cs_options* options,
                                 cs_error** error);

/* `inner` with injected failures and delays, for tests of what is built on it. What becomes of the
 * n-th call depends on the seed and on n alone, so that a run can be repeated; only operations that
 * are among `operations` count. It never answers cs_get_try. cs_store_set: all of the options; calls
 * under way keep what they began with.
 * Options:
 *   rate        percent, 0: how many of the calls fail
 *   at          count, 0: the call with this number fails, counted from 1; 0: none
 *   status      io | timeout | busy | denied | no_space | corrupt | closed | too_large |
 *               unsupported | internal | not_found, io: how they fail
 *   when        before | after, before: instead of the operation, or after it was done: its outcome
 *               is then not known to the caller
 *   delay       duration, 0ms: how long a call is held back, but not beyond its deadline
 *   delay_rate  percent, 100: how many of the calls are held back
 *   operations  all, or some of get, get_many, put, del, write, scan, flush with + between; a
 *               get_range and a stat are a get
 *   seed        count, 1: of the random numbers
 * Failures: CS_INVALID. */
CS_API cs_store* cs_fault_new(cs_store* inner, const cs_options* options, cs_error** error);

/* Another reference to `store`, which is returned; give it back with cs_store_unref. */
CS_API cs_store* cs_store_ref(cs_store* store);

/* Drops a reference; never blocks. When the last one goes while the store is open, a library thread
 * closes it, keeping what is durable. */
CS_API void cs_store_unref(cs_store* store);

/* The store at `index`, counted from 0, of those that `store` wraps: a new reference, yours to
 * unref. NULL past the last, and in a forked child. */
CS_API cs_store* cs_store_inner(cs_store* store, size_t index);

/* What a store can do: cs_store_caps. */
enum {
  CS_CAP_ORDERED = 1u << 0,      /* scans in the order of the keys */
  CS_CAP_ATOMIC_BATCH = 1u << 1, /* cs_write is all or nothing */
  CS_CAP_ZERO_COPY = 1u << 2,    /* a get of a large value copies nothing */
  CS_CAP_DURABLE = 1u << 3,      /* an acknowledged write survives power loss */
  CS_CAP_SCAN = 1u << 4,
  CS_CAP_RANGE = 1u << 5, /* cs_get_range reads only its part */
  CS_CAP_TTL = 1u << 6,
  CS_CAP_TRY = 1u << 7, /* may answer cs_get_try; a custom store: is asked CS_WAIT_NEVER too */
  CS_CAP_LOOP = 1u << 8 /* answers on one event loop: do not wait for it there. Inherited by all
                         * that wrap it. */
};

/* CS_CAP_* of `store`; 0 for NULL. Any thread. */
CS_API uint32_t cs_store_caps(const cs_store* store);

/* The text that makes `store` again by cs_store_open: canonical, with every option; a path as it is
 * on this machine; secrets as the ${NAME} that they came from, else as ***. What only a program can
 * make is shown as custom:NAME, with what it wraps in parentheses, and its log function as ***:
 * opening these says why it cannot.
 * NULL: the table of everything that text can name, one line each, seven fields with a tab between:
 * store, manager or chain; name; constructor; in this build: yes or no; how it is written; -; what
 * it is. Below it argument or option; name of the store; name; form; default; required or optional;
 * meaning. The value is yours: cs_value_unref. NULL and *error: CS_NO_MEMORY, CS_FORKED. Any
 * thread. */
CS_API cs_value* cs_store_describe(const cs_store* store, cs_error** error);

/* Changes an option while the store is open. CS_OK; CS_INVALID and *error: there is no such option,
 * it cannot be changed, or its value is wrong; CS_CLOSED; CS_FORKED. */
CS_API cs_status cs_store_set(cs_store* store, const char* name, const char* value,
                              cs_error** error);

/* An error handler. `error` is borrowed until it returns. */
typedef void (*cs_error_fn)(void* user_data, const cs_error* error);

/* Sets the handler that is told of failures which no call answers: of background work (back-fills,
 * deliveries, evictions) in `store` and in all that it wraps, and of calls without a completion.
 * Each failure once, at its change of state, never a success; one at a time, in order, on a library
 * thread. It replaces the handler before it, whose release function runs when that one can be
 * called no more; fn NULL removes it (user_data and release are ignored then). The last 64 failures
 * before there was a handler are kept for it; of a handler that does not keep up the oldest beyond
 * 4096 are dropped. CS_OK; CS_INVALID: `store` is NULL; CS_NO_MEMORY; CS_FORKED. */
CS_API cs_status cs_on_error(cs_store* store, cs_error_fn fn, void* user_data,
                             void (*release)(void* user_data));

/* A trace function. `json` is borrowed until it returns; it is not NUL-ended. */
typedef void (*cs_trace_fn)(void* user_data, const char* json, size_t size);

/* Sets the function that is told the way of each operation that is called on `store` from now on:
 * one JSON object, when the last part of it has ended, which for a get includes the back-fill that
 * it started. It is called on a library thread, one operation at a time. As cs_on_error otherwise,
 * but nothing is kept for later, and of a function that does not keep up the oldest beyond 4096 are
 * dropped. With CHAINSTORE_TRACE=1 in the environment the traces of every store without a function
 * are lines on the standard error. Nobody who asks: a branch per store.
 *   {"op":"get","store":"chain","key":"k","at_ms":1764000000000,"start_us":0.0,"us":210.4,
 *    "status":"CS_OK","tier":2,"spans":[...]}
 * op and store are what was asked of whom; key, or key_hex if it is not printable ASCII; at_ms Unix
 * time; start_us microseconds since the operation began; us the time it took, and status how it
 * ended (both are missing if it has not); tier as in cs_result; fill: true is a copy that a chain
 * makes; retries how often S3 was asked again (missing: never). `spans` are the stores that this
 * one asked, in the same form. More than 256 spans are counted (not_shown), not shown. New names
 * may be added. A get_try that would block leaves none.
 * CS_OK; CS_INVALID: `store` is NULL; CS_NO_MEMORY; CS_FORKED. */
CS_API cs_status cs_on_trace(cs_store* store, cs_trace_fn fn, void* user_data,
                             void (*release)(void* user_data));

/* ============================================================================================== */
/* 11. Metrics                                                                                    */
/* ============================================================================================== */

/* What `store` and all stores below it tell of themselves, as text of one of two formats:
 * "prometheus" (the text format that Prometheus scrapes) and "json" ({"metrics": [...]}, with the
 * same names, labels and numbers). Every number has the label `layer`: 0 is `store`, the stores
 * below are counted depth first. The managers of cs_metrics_new have the label `name`:
 *   chainstore_operations_total{operation, status}        operations, by how they ended
 *   chainstore_operation_bytes_total{operation}           bytes of values read or written
 *   chainstore_operation_duration_seconds{operation}      quantiles, right to two digits, since it
 *                                                         was made
 *   chainstore_hits_total, chainstore_misses_total        keys of get, get_range and get_many
 * stores that know what they take have chainstore_used_bytes{store}, and S3 stores
 *   chainstore_s3_requests_total{store, kind}             each attempt: get, head, put, part, upload
 *                                                         (begin or end of one in parts), list,
 *                                                         delete, delete_many
 *   chainstore_s3_retries_total{store, after}             after a fault, after a throttle
 *   chainstore_s3_sent_bytes_total{store}, chainstore_s3_received_bytes_total{store}
 *   chainstore_s3_connections_total{store, state}         opened, reused
 *   chainstore_s3_first_byte_seconds{store}               how long answers took to begin
 *   chainstore_s3_cost_total{store, of}                   what that costs, by the option `prices`
 * Numbers are added over releases, and none is taken away. Counting goes on meanwhile: the numbers
 * are not of one moment. Also for a closed store. The value is yours (cs_value_unref); a NUL follows
 * its bytes. Any thread; never blocks. NULL and *error: CS_INVALID, CS_NO_MEMORY, CS_FORKED. */
CS_API cs_value* cs_metrics_text(cs_store* store, const char* format, cs_error** error);

/* ============================================================================================== */
/* 12. Custom stores                                                                              */
/* ============================================================================================== */

/* A store of your own is one function. `submit` is handed a request, which is yours until you end
 * it with cs_request_done or cs_request_forward: exactly once, before submit returns or later, from
 * any thread. It is called from many threads at once, and as cs_request_call says how its caller
 * waits. Your caller does not depend on you: he is answered CS_TIMEOUT or CS_CANCELLED when his time
 * is up, and what you answer then is dropped (a write that failed goes to cs_on_error); but the
 * request stays yours until you have ended it. Ending it twice is refused, and named by an error to
 * cs_on_error, as long as fewer than 256 requests of the store have ended since. */
typedef struct cs_store_ops {
  uint32_t struct_size;
  uint32_t caps; /* CS_CAP_*. ATOMIC_BATCH cannot be. What is missing: see cs_custom_new. */
  void (*submit)(void* context, cs_request* request);
  void (*release)(void* context); /* when store and last request are gone; rule "release" */
} cs_store_ops;

/* No capabilities, and no functions yet: `submit` must be set. */
#define CS_STORE_OPS_INIT \
  { (uint32_t)sizeof(cs_store_ops), 0, NULL, NULL }

/* A store that is your function. `name` (1 to 64 of A-Z a-z 0-9 _ . -) names it in errors, and
 * cs_store_describe shows it as custom:NAME. `ops` is copied. `inner` are the stores that it forwards
 * to (at most 32; NULL and 0: none): closed after it if nobody else wraps them, and seen by
 * cs_store_inner, cs_store_describe, cs_metrics_text and cs_on_error. `options`: only a runtime.
 *   without CS_CAP_RANGE  a range is cut out of the whole value (CS_OP_GET)
 *   without CS_CAP_SCAN   scans are CS_UNSUPPORTED
 *   without CS_CAP_TTL    a write with a ttl is CS_UNSUPPORTED
 *   without CS_CAP_TRY    a call that must not wait is CS_WOULD_BLOCK, and you do not hear of it
 * get_many and write are one request per key. A CS_OP_STAT that you answer CS_UNSUPPORTED is made of
 * a get; a CS_OP_FLUSH so answered is OK. The library flushes the inner stores itself.
 * NULL and *error: CS_INVALID (also for a NULL submit, and a struct of a later version that says
 * something in it), CS_CLOSED (an inner store), CS_NO_MEMORY, CS_FORKED. */
CS_API cs_store* cs_custom_new(const char* name, const cs_store_ops* ops, void* context,
                               cs_store* const* inner, size_t inner_count,
                               const cs_options* options, cs_error** error);

/* cs_request_op: what is asked. */
enum {
  CS_OP_GET = 1,      /* answer: CS_OK and value, or CS_NOT_FOUND */
  CS_OP_PUT = 2,      /* CS_OK; CS_EXISTS under CS_CALL_IF_ABSENT */
  CS_OP_DEL = 3,      /* CS_OK, also if there was nothing */
  CS_OP_SCAN = 4,     /* cs_request_add, then CS_OK: there is more; CS_END: that was all */
  CS_OP_FLUSH = 5,    /* the key is the prefix, which may be empty */
  CS_OP_CLOSE = 6,    /* the last request: nothing else is under way. To forward it is CS_OK. */
  CS_OP_STAT = 7,     /* CS_OK and total_size, or CS_NOT_FOUND */
  CS_OP_GET_RANGE = 8 /* CS_OK, value and total_size: past the end is cut; or CS_NOT_FOUND */
};

/* cs_request_call: how the caller waits. */
enum {
  CS_WAIT_NEVER = 0, /* answer before submit returns, or CS_WOULD_BLOCK: that is what is answered
                      * if you have not; only with CS_CAP_TRY */
  CS_WAIT_LATER = 1, /* do not block; answer when you can */
  CS_WAIT_HERE = 2   /* you may block this thread: blocking functions work in submit */
};

/* CS_OP_*; 0 for NULL. */
CS_API uint32_t cs_request_op(const cs_request* request);

/* CS_WAIT_*. Fills *call (may be NULL; overwritten) with what a call of yours on behalf of the
 * request should carry: flags, the time that is left (at least 1 ms if there is a limit), the token
 * (borrowed: lives as long as the request), ttl and ack. */
CS_API uint32_t cs_request_call(const cs_request* request, cs_call* call);

/* The key and, in *size (may be NULL), its length. Lives as long as the request. Not NULL. */
CS_API const void* cs_request_key(const cs_request* request, size_t* size);

/* CS_OP_PUT: the value, borrowed (cs_value_ref to keep it). Else NULL. */
CS_API cs_value* cs_request_value(const cs_request* request);

/* CS_OP_SCAN: which keys the page is to hold; `start` (in reverse `end`) is moved on from page to
 * page. Its pointers live as long as the request. Other requests: every key. */
CS_API void cs_request_range(const cs_request* request, cs_range* range);

/* CS_OP_GET_RANGE: which part. Else 0 and the rest. Each pointer may be NULL. */
CS_API void cs_request_slice(const cs_request* request, uint64_t* offset, uint64_t* length);

/* Asks to be told when the request's token fires or its time is up: `fn` runs at most once, on a
 * library thread, perhaps beside your cs_request_done, and may call it. `release` runs exactly once,
 * when fn has returned or can no longer run: free user_data there and nowhere else. Once per
 * request. CS_OK; CS_INVALID: NULL, or asked for already; CS_NO_MEMORY. Not run then. */
CS_API cs_status cs_request_on_cancel(cs_request* request, void (*fn)(void* user_data),
                                      void* user_data, void (*release)(void* user_data));

/* CS_OP_SCAN: adds an entry (key, value or data, expires_at_ms, version; total_size if only keys are
 * asked for) to the page. The key is copied; a value is shared, data without one copied. One thread
 * at a time. CS_OK, also for a key outside the range, which is passed by; CS_END: the page is full,
 * the entry is not in it: end the request; CS_INVALID: no scan, or not in the order of the keys;
 * CS_NO_MEMORY. */
CS_API cs_status cs_request_add(cs_request* request, const cs_entry* entry);

/* Ends the request with `answer`, which is moved out: a struct of your own (CS_RESULT_INIT, with
 * status, value or data, error...), or the result of another call, whole. `data` without a value is
 * copied. A failure without an error gets one; one with an error of yours is its cause. */
CS_API void cs_request_done(cs_request* request, cs_result* answer);

/* Ends the request with what `store`, one of the inner stores, says to it, which is asked with all
 * that the call carried. Any other store: CS_INVALID is the answer. Never blocks outside of submit. */
CS_API void cs_request_forward(cs_request* request, cs_store* store);

#ifdef __cplusplus
}
#endif
#endif /* CHAINSTORE_H */
