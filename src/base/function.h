// UniqueFunction: a move-only callable with room for small captures, so that the usual
// continuation (a few pointers) costs no allocation. Done<T>: one that runs exactly once.
// Thread safety: none; a callable is owned by one thread at a time.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstring>
#include <new>
#include <type_traits>
#include <utility>

namespace chainstore {

template <class Signature>
class UniqueFunction;

template <class R, class... Args>
class UniqueFunction<R(Args...)> {
 public:
  UniqueFunction() = default;
  UniqueFunction(std::nullptr_t) {}  // NOLINT: null is an empty function

  template <class F>
    requires(!std::is_same_v<std::decay_t<F>, UniqueFunction> &&
             std::is_invocable_r_v<R, std::decay_t<F>&, Args...>)
  UniqueFunction(F&& callable) {  // NOLINT: lambdas convert
    using Callable = std::decay_t<F>;
    if constexpr (kPlain<Callable>) {
      memset(storage_, 0, kPlainBytes);
      new (storage_) Callable(std::forward<F>(callable));
      ops_ = &kPlainOps<Callable>;
    } else if constexpr (kInline<Callable>) {
      new (storage_) Callable(std::forward<F>(callable));
      ops_ = &kInlineOps<Callable>;
    } else {
      new (storage_) Callable*(new Callable(std::forward<F>(callable)));
      ops_ = &kHeapOps<Callable>;
    }
  }

  UniqueFunction(UniqueFunction&& other) noexcept { TakeFrom(other); }
  UniqueFunction& operator=(UniqueFunction&& other) noexcept {
    if (this != &other) {
      Reset();
      TakeFrom(other);
    }
    return *this;
  }
  ~UniqueFunction() { Reset(); }

  explicit operator bool() const noexcept { return ops_ != nullptr; }
  // Whether the callable says of itself (a member type `Brief`) that it may run on a thread that
  // others wait for: it takes no time, blocks on nothing and calls nothing of the user's.
  bool is_brief() const noexcept { return ops_ && ops_->is_brief; }
  R operator()(Args... args) {
    assert(ops_ != nullptr);
    return ops_->call(storage_, std::forward<Args>(args)...);
  }

 private:
  // Six words: a Ref, a key's view, a member pointer and a continuation's address fit.
  static constexpr size_t kStorageBytes = 48;
  static constexpr size_t kPlainBytes = 2 * sizeof(void*);
  struct Ops {
    R (*call)(void*, Args&&...);
    // Null for one or two words of plain bytes (references, pointers, numbers), as the usual
    // synchronous call captures: they are copied, and need no destruction.
    void (*move)(void* to, void* from);  // leaves `from` destroyed
    void (*destroy)(void*);
    bool is_brief;
  };
  template <class F>
  static constexpr bool kIsBrief = requires { typename F::Brief; };
  template <class F>
  static constexpr bool kInline =
      sizeof(F) <= kStorageBytes && alignof(F) <= alignof(std::max_align_t) &&
      std::is_nothrow_move_constructible_v<F>;
  template <class F>
  static constexpr Ops kInlineOps = {[](void* at, Args&&... args) -> R {
                                       return (*static_cast<F*>(at))(std::forward<Args>(args)...);
                                     },
                                     [](void* to, void* from) {
                                       new (to) F(std::move(*static_cast<F*>(from)));
                                       static_cast<F*>(from)->~F();
                                     },
                                     [](void* at) { static_cast<F*>(at)->~F(); }, kIsBrief<F>};
  template <class F>
  static constexpr Ops kPlainOps = {[](void* at, Args&&... args) -> R {
                                      return (*static_cast<F*>(at))(std::forward<Args>(args)...);
                                    },
                                    nullptr, nullptr, kIsBrief<F>};
  template <class F>
  static constexpr bool kPlain = sizeof(F) <= kPlainBytes && std::is_trivially_copyable_v<F> &&
                                 std::is_trivially_destructible_v<F>;
  template <class F>
  static constexpr Ops kHeapOps = {
      [](void* at, Args&&... args) -> R {
        return (**static_cast<F**>(at))(std::forward<Args>(args)...);
      },
      [](void* to, void* from) { new (to) F*(*static_cast<F**>(from)); },
      [](void* at) { delete *static_cast<F**>(at); }, kIsBrief<F>};

  void TakeFrom(UniqueFunction& other) noexcept {
    ops_ = std::exchange(other.ops_, nullptr);
    if (!ops_) return;
    if (ops_->move) return ops_->move(storage_, other.storage_);
    // Word by word, as the captures were stored: a wider load would have to wait for the stores.
    memcpy(storage_, other.storage_, sizeof(void*));
    memcpy(storage_ + sizeof(void*), other.storage_ + sizeof(void*), sizeof(void*));
  }
  void Reset() noexcept {
    const Ops* const ops = std::exchange(ops_, nullptr);
    if (ops && ops->destroy) ops->destroy(storage_);
  }

  alignas(std::max_align_t) unsigned char storage_[kStorageBytes];
  const Ops* ops_ = nullptr;
};

// The continuation of one operation. Runs exactly once: dropping one that has not run is a bug of
// whoever dropped it, and asserted.
template <class T>
class Done {
 public:
  Done() = default;
  template <class F>
    requires(!std::is_same_v<std::decay_t<F>, Done> && std::is_invocable_v<std::decay_t<F>&, T &&>)
  Done(F&& callable) : function_(std::forward<F>(callable)) {}  // NOLINT: lambdas convert
  Done(Done&&) noexcept = default;
  Done& operator=(Done&& other) noexcept {
    assert(!function_ && "a Done was overwritten before it ran");
    function_ = std::move(other.function_);
    return *this;
  }
  ~Done() { assert(!function_ && "a Done was dropped before it ran"); }

  explicit operator bool() const noexcept { return static_cast<bool>(function_); }
  bool is_brief() const noexcept { return function_.is_brief(); }
  void operator()(T&& answer) {
    assert(function_ && "a Done ran twice");
    UniqueFunction<void(T&&)> once = std::move(function_);
    once(std::move(answer));
  }

 private:
  UniqueFunction<void(T&&)> function_;
};

}  // namespace chainstore
