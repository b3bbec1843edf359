// Custom stores (cs_custom_new) that change nothing of what they wrap, written as a user would.
#pragma once

#include "contract/subject.h"

namespace contract {

// Hands every request on with cs_request_forward.
Client Forwarding(Client inner);
// Asks by the public functions, and answers with what they said, later and from a library thread.
Client Asking(Client inner);

}  // namespace contract
