// Session: an opened store, how calls of it are made, and what their ends mean for the exit code.
// Thread safety: one thread; background failures are printed on a library thread.
#pragma once

#include <string>

#include "cli/arguments.h"
#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "cli/output.h"

namespace cli {

// A result that is released.
struct Result : cs_result {
  Result() : cs_result(CS_RESULT_INIT) {}
  ~Result() { cs_result_release(this); }
  Result(const Result&) = delete;
  Result& operator=(const Result&) = delete;
  std::string_view bytes() const { return {static_cast<const char*>(data), size}; }
};

class Session {
 public:
  Session(const Arguments& arguments, Interrupt& interrupt);
  // Closes what Close has not.
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // kDone, or the exit code; the problem has been told.
  int Open(const std::string& text);
  // Delivers what is queued. `so_far` is the exit code of the work, which goes first.
  int Close(int so_far);

  cs_store* store() const noexcept { return store_; }
  const Arguments& arguments() const noexcept { return arguments_; }
  const Interrupt& interrupt() const noexcept { return interrupt_; }
  bool interrupted() const noexcept { return interrupt_.happened(); }
  // With the timeout of the command line and the token of the interrupt.
  cs_call Call() const;

  // The exit code of a call's end; a failure is told, an interrupt is not.
  int End(cs_status status, const cs_error* error) const;
  int End(const cs_result& result) const { return End(result.status, result.error); }
  int Interrupted() const { return kSignal + interrupt_.signal_number(); }
  // The exit code of an output that has failed: told, unless nobody reads it.
  int End(const Output& output, const char* what = "the standard output") const;
  // The same if the output fails now, else `so_far`.
  int Finish(Output* output, int so_far) const;

 private:
  const Arguments& arguments_;
  Interrupt& interrupt_;
  cs_store* store_ = nullptr;
};

// Reads all of `fd`, up to its end or the interrupt: 0 or an errno (EINTR: interrupted).
int ReadAll(int fd, const Interrupt& interrupt, std::string* bytes);

}  // namespace cli
