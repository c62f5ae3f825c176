# plant_in_scope(<variable>): writes a scope_actor.cpp in which a task leaves its scope before its outcome counts, two steps
# whose order is a promise, and sets the variable to its name. If the place is not found there is no build: a planted bug
# that is not there would prove nothing.
function(plant_in_scope variable)
  set(original "${PROJECT_SOURCE_DIR}/actors/src/scope_actor.cpp")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${original}")
  file(READ "${original}" text)
  set(right "    watched = task.word_.publish();
    const auto who = kind_of(task);
    machine_.left(who);
    task.last_ = machine_.count(who) == 0 && attentive();
    leaving_.fetch_add(one_leaving, std::memory_order_relaxed); // before anybody can look whether the scope is over
    task.leaving_ = true;
  }
")
  set(wrong "    const auto who = kind_of(task);
    machine_.left(who);
    task.last_ = machine_.count(who) == 0 && attentive();
  }
  if (task.last_)
    signal(advance_flag);
  {
    std::lock_guard guard{mutex_};
    watched = task.word_.publish();
  }
")
  string(FIND "${text}" "${right}" place)
  if(place EQUAL -1)
    message(FATAL_ERROR "tests/planted/planted.cmake: the two steps that are to change places are not in scope_actor.cpp; "
      "give it their present text.")
  endif()
  string(REPLACE "${right}" "${wrong}" text "${text}")
  set(planted "${CMAKE_CURRENT_BINARY_DIR}/planted_scope_actor.cpp")
  file(CONFIGURE OUTPUT "${planted}" CONTENT "${text}" @ONLY)
  set(${variable} "${planted}" PARENT_SCOPE)
endfunction()
