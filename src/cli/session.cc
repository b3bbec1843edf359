#include "cli/session.h"

#include <poll.h>
#include <unistd.h>
#include <cerrno>

#include <cstring>

#include "cli/text.h"

namespace cli {
namespace {

void TellBackground(void*, const cs_error* error) {
  Complain(std::string("in the background: ") + cs_error_message(error));
}

}  // namespace

Session::Session(const Arguments& arguments, Interrupt& interrupt)
    : arguments_(arguments), interrupt_(interrupt) {}

Session::~Session() { (void)Close(kDone); }

int Session::Open(const std::string& text) {
  cs_error* error = nullptr;
  store_ = cs_store_open(text.c_str(), nullptr, &error);
  if (store_) {
    cs_on_error(store_, TellBackground, nullptr, nullptr);
    return kDone;
  }
  const int code = End(cs_error_status(error), error);
  cs_error_unref(error);
  return code;
}

int Session::Close(int so_far) {
  if (!store_) return so_far;
  // An interrupt that was there before does not cost what has been accepted: the close has its own
  // time, and ends at the second one.
  cs_call call = CS_CALL_INIT;
  call.timeout_ms = arguments_.timeout_ms;
  const bool interrupted_before = interrupted();
  if (!interrupted_before) call.cancel = interrupt_.token();
  Result result;
  const cs_status status = cs_store_close_sync(store_, &call, &result);
  cs_store_unref(store_);
  store_ = nullptr;
  if (status == CS_OK) return so_far;
  if (!interrupted_before && interrupted()) {
    Complain("interrupted; what was accepted may not have reached the last store");
    return Interrupted();
  }
  const int code = End(result);
  return so_far == kDone ? code : so_far;
}

cs_call Session::Call() const {
  cs_call call = CS_CALL_INIT;
  call.timeout_ms = arguments_.timeout_ms;
  call.cancel = interrupt_.token();
  return call;
}

int Session::End(cs_status status, const cs_error* error) const {
  if (status == CS_CANCELLED && interrupted()) return Interrupted();
  if (status >= 0) return ExitOf(status);
  if (arguments_.json) {
    Note("{\"error\":{\"status\":" + Json(cs_status_name(status)) +
         ",\"message\":" + Json(Shown(cs_error_message(error))) +
         ",\"retryable\":" + (cs_error_is_retryable(error) ? "true" : "false") + "}}");
  } else {
    Complain(cs_error_message(error));
  }
  return ExitOf(status);
}

int Session::End(const Output& output, const char* what) const {
  if (output.error() == EPIPE) return kPipe;
  Complain(std::string("cannot write ") + what + ": " + strerror(output.error()));
  return kFailed;
}

int Session::Finish(Output* output, int so_far) const {
  return output->Flush() ? so_far : End(*output);
}

int ReadAll(int fd, const Interrupt& interrupt, std::string* bytes) {
  constexpr size_t kStep = size_t{64} << 10;
  for (;;) {
    pollfd watched[] = {{fd, POLLIN, 0}, {interrupt.fd(), POLLIN, 0}};
    if (poll(watched, 2, -1) < 0 && errno != EINTR) return errno;
    if (interrupt.happened()) return EINTR;
    const size_t before = bytes->size();
    bytes->resize(before + kStep);
    const ssize_t got = read(fd, bytes->data() + before, kStep);
    bytes->resize(before + (got > 0 ? static_cast<size_t>(got) : 0));
    if (got == 0) return 0;
    if (got < 0 && errno != EINTR && errno != EAGAIN) return errno;
  }
}

}  // namespace cli
