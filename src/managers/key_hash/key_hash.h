// KeyHash: the store that it wraps sees digests of fixed length for keys. The whole key is kept
// beside the value (hashed_value.h) and compared on every read, so that two keys with one digest
// never get each other's value:
//   a read of a key whose digest belongs to another key is a miss: it is not stored;
//   a write of such a key fails (kUnsupported), and the other one's entry stays. Only a digest that
//   somebody could find collisions for is worth that look before each write: with sha256 a write
//   does not look.
//
// Scans are in the order of the original keys. Nothing in the wrapped store has that order, so
// every page reads all of it once, and keeps what the page needs.
//
// A range reads from the beginning of the entry, because the key stands there.
//
// Thread safety: as Store.
#pragma once

#include "core/option.h"
#include "core/wrapper.h"
#include "managers/key_hash/digest.h"

namespace chainstore {

inline constexpr std::span<const OptionSpec> kKeyHashOptions = {};

// `digest` is "sha256" or "xxh3-128".
Result<Ref<Store>> NewKeyHash(Ref<Store> inner, std::string_view digest, const Options* options);
// With a digest of the caller's, which must outlive the store.
Ref<Store> NewKeyHashWith(Ref<Store> inner, const Digest& digest);

}  // namespace chainstore
