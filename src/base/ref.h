// Intrusive reference counting: RefCounted<T> is the count, Ref<T> the smart pointer.
// Thread safety: counts are atomic; one Ref object is used by one thread at a time.
// Invariant: an object is born with one reference, which Ref<T>::Adopt takes over.
#pragma once

#include <atomic>
#include <cassert>
#include <cstdint>
#include <utility>

namespace chainstore {

template <class T>
class RefCounted {
 public:
  RefCounted() = default;
  RefCounted(const RefCounted&) = delete;
  RefCounted& operator=(const RefCounted&) = delete;

  void AddRef() const noexcept { refs_.fetch_add(1, std::memory_order_relaxed); }

  void Unref() const noexcept {
    assert(refs_.load(std::memory_order_relaxed) > 0);
    if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      static_cast<T*>(const_cast<RefCounted*>(this))->OnLastUnref();
    }
  }

  // Takes a reference unless the object is already on its way out: for back pointers.
  bool TryRef() const noexcept {
    uint32_t seen = refs_.load(std::memory_order_relaxed);
    while (seen != 0) {
      if (refs_.compare_exchange_weak(seen, seen + 1, std::memory_order_acq_rel)) return true;
    }
    return false;
  }

  // Gives one reference up, unless it is the last one; false then: it is still the caller's.
  bool UnrefUnlessLast() const noexcept {
    uint32_t seen = refs_.load(std::memory_order_relaxed);
    while (seen > 1) {
      if (refs_.compare_exchange_weak(seen, seen - 1, std::memory_order_acq_rel)) return true;
    }
    return false;
  }

  bool IsUnique() const noexcept { return refs_.load(std::memory_order_acquire) == 1; }

 protected:
  ~RefCounted() = default;
  // T may hide this to defer its own destruction. It runs on the thread that dropped the last
  // reference and must never block.
  void OnLastUnref() noexcept { delete static_cast<T*>(this); }

 private:
  mutable std::atomic<uint32_t> refs_{1};
};

template <class T>
class Ref {
 public:
  Ref() = default;
  Ref(std::nullptr_t) {}  // NOLINT: null is a Ref
  // Shares `object`, which keeps the references that it has.
  explicit Ref(T* object) noexcept : object_(object) {
    if (object_) object_->AddRef();
  }
  // Takes over one reference that the caller owns.
  static Ref Adopt(T* object) noexcept {
    Ref ref;
    ref.object_ = object;
    return ref;
  }
  Ref(const Ref& other) noexcept : Ref(other.object_) {}
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  template <class U>
    requires std::is_convertible_v<U*, T*>
  Ref(const Ref<U>& other) noexcept : Ref(static_cast<T*>(other.get())) {}  // NOLINT
  template <class U>
    requires std::is_convertible_v<U*, T*>
  Ref(Ref<U>&& other) noexcept : object_(other.Release()) {}  // NOLINT
  Ref& operator=(Ref other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Ref() {
    if (object_) object_->Unref();
  }

  T* get() const noexcept { return object_; }
  T* operator->() const noexcept { return object_; }
  T& operator*() const noexcept { return *object_; }
  explicit operator bool() const noexcept { return object_ != nullptr; }
  // Gives the reference to the caller.
  [[nodiscard]] T* Release() noexcept { return std::exchange(object_, nullptr); }
  friend bool operator==(const Ref& a, const Ref& b) { return a.object_ == b.object_; }

 private:
  T* object_ = nullptr;
};

template <class T, class... Args>
Ref<T> MakeRef(Args&&... args) {
  return Ref<T>::Adopt(new T(std::forward<Args>(args)...));
}

}  // namespace chainstore
