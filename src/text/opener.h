// Open: the store that a text names, opened; a store that could not be opened leaves none open.
//
// What the text cannot mean is refused before anything is opened: beside what the parser refuses,
// the same directory twice in one text. What a constructor refuses names the column of its store.
#pragma once

#include <string_view>

#include "core/option.h"
#include "core/store.h"
#include "text/parser.h"

namespace chainstore::text {

// `options` (may be null): the runtime of every store, and options of the outermost store that
// replace those of the text.
Result<Ref<Store>> Open(std::string_view text, const Options* options, const Dialect& dialect = {});

}  // namespace chainstore::text
