// `.chainstore/format`: whether a database holds records or plain values. It is of one format for
// ever: read in the other one, headers would be values, or values damaged records.
#pragma once

#include <string>

#include "stores/leveldb/database.h"
#include "stores/owned_directory.h"

namespace chainstore {

// Compares the mark with `raw`, and writes it where there is none. A database without one (made by
// another program, or copied without its reserved folder) is judged by its first entry. Another
// format is kInvalid.
Status CheckFormat(const std::string& store, const OwnedDirectory& directory, Database* database,
                   bool raw);

}  // namespace chainstore
