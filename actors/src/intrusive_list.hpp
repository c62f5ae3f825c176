/// A doubly linked list through members of its elements: constant time to add, and to remove from wherever it is.
///
/// Owner and threads: whoever owns the list guards it. An element is in at most one list that uses its link. The list
/// does not own its elements.
#pragma once

#include <cstddef>

namespace muster {

/// The link of an element; unlinks itself in no destructor: the owner of the list takes elements out.
struct list_link {
  list_link* next = this;
  list_link* prev = this;

  [[nodiscard]] bool linked() const noexcept { return next != this; }
  void unlink() noexcept {
    prev->next = next;
    next->prev = prev;
    next = prev = this;
  }
};

/// `Element` derives from a `Link`, which derives from list_link (so that an element may be in several lists).
template <class Element, class Link>
class intrusive_list {
public:
  intrusive_list() = default;
  intrusive_list(const intrusive_list&) = delete;
  intrusive_list& operator=(const intrusive_list&) = delete;

  [[nodiscard]] bool empty() const noexcept { return !head_.linked(); }
  [[nodiscard]] Element& front() noexcept { return of(head_.next); }
  void push_back(Element& e) noexcept {
    list_link& link = static_cast<Link&>(e);
    link.prev = head_.prev;
    link.next = &head_;
    head_.prev->next = &link;
    head_.prev = &link;
  }
  /// Puts all of `other`'s elements behind its own, in constant time.
  void take_all(intrusive_list& other) noexcept {
    if (other.empty())
      return;
    list_link& first = *other.head_.next;
    list_link& last = *other.head_.prev;
    first.prev = head_.prev;
    head_.prev->next = &first;
    last.next = &head_;
    head_.prev = &last;
    other.head_.next = other.head_.prev = &other.head_;
  }
  static void remove(Element& e) noexcept { static_cast<Link&>(e).unlink(); }
  /// Calls `f(element)` for each; `f` may remove the element it is given.
  template <class F>
  void each(F f) {
    for (list_link* at = head_.next; at != &head_;) {
      list_link* next = at->next;
      f(of(at));
      at = next;
    }
  }

private:
  static Element& of(list_link* link) noexcept { return static_cast<Element&>(static_cast<Link&>(*link)); }
  list_link head_;
};

} // namespace muster
