// HttpTrace: what a request and its answer looked like, for CHAINSTORE_TRACE=http: the lines, the
// headers and how long each step took, with secrets masked. Bodies are not shown.
// Thread safety: functions of their arguments.
#pragma once

#include <string>

#include "stores/s3/http.h"

namespace chainstore::s3 {

struct HttpTiming {  // from the begin of the transfer
  int64_t connected_us = 0;
  int64_t first_byte_us = 0;
  int64_t total_us = 0;
  bool reused = false;  // the connection
};

// Whether the environment asks for it: `http` among the words of CHAINSTORE_TRACE.
bool IsHttpTraced();
// Several lines, each "> " or "< " or "* ".
std::string TraceText(const HttpRequest& request, const HttpReply& reply, const HttpTiming& timing);
// Writes it to the standard error as one piece.
void WriteTrace(const std::string& text);

}  // namespace chainstore::s3
