# Finds CAF, the C++ Actor Framework: CAF::core, and CAF::io where it is installed.
#
# An upstream installation of CAF 1.x brings a config file of its own, which is tried first (CAF_DIR or CMAKE_PREFIX_PATH
# say where); Debian's package of 0.17 brings none, so its header and libraries are looked for. Sets CAF_FOUND,
# CAF_VERSION, CAF_<component>_FOUND.
# Muster installs this file beside its own config file, so it stands alone.

if(CAF_FIND_COMPONENTS)
  set(_caf_components ${CAF_FIND_COMPONENTS})
else()
  set(_caf_components core)
endif()

find_package(CAF CONFIG QUIET COMPONENTS core)

if(CAF_FOUND)
  set(_caf_required CAF_DIR)
else()
  set(_caf_required CAF_core_LIBRARY CAF_INCLUDE_DIR)
  find_path(CAF_INCLUDE_DIR NAMES caf/all.hpp)
  mark_as_advanced(CAF_INCLUDE_DIR)

  if(CAF_INCLUDE_DIR AND EXISTS "${CAF_INCLUDE_DIR}/caf/config.hpp")
    # For instance 1706, which is 0.17.6.
    file(STRINGS "${CAF_INCLUDE_DIR}/caf/config.hpp" _caf_line REGEX "^#define CAF_VERSION [0-9]+" LIMIT_COUNT 1)
    if(_caf_line MATCHES "([0-9]+)$")
      set(_caf_number "${CMAKE_MATCH_1}")
      math(EXPR _caf_major "${_caf_number} / 10000")
      math(EXPR _caf_minor "${_caf_number} / 100 % 100")
      math(EXPR _caf_patch "${_caf_number} % 100")
      set(CAF_VERSION "${_caf_major}.${_caf_minor}.${_caf_patch}")
    endif()
  endif()

  find_package(Threads QUIET)
  foreach(_caf_part IN ITEMS core io)
    find_library(CAF_${_caf_part}_LIBRARY NAMES caf_${_caf_part})
    mark_as_advanced(CAF_${_caf_part}_LIBRARY)
    if(CAF_INCLUDE_DIR AND CAF_${_caf_part}_LIBRARY AND NOT TARGET CAF::${_caf_part})
      add_library(CAF::${_caf_part} UNKNOWN IMPORTED)
      set_target_properties(CAF::${_caf_part} PROPERTIES
        IMPORTED_LOCATION "${CAF_${_caf_part}_LIBRARY}"
        INTERFACE_INCLUDE_DIRECTORIES "${CAF_INCLUDE_DIR}")
    endif()
  endforeach()
  if(TARGET CAF::core AND TARGET Threads::Threads)
    set_property(TARGET CAF::core APPEND PROPERTY INTERFACE_LINK_LIBRARIES Threads::Threads)
  endif()
  if(TARGET CAF::io)
    set_property(TARGET CAF::io APPEND PROPERTY INTERFACE_LINK_LIBRARIES CAF::core)
  endif()
endif()

foreach(_caf_part IN LISTS _caf_components)
  if(TARGET CAF::${_caf_part})
    set(CAF_${_caf_part}_FOUND TRUE)
  else()
    set(CAF_${_caf_part}_FOUND FALSE)
  endif()
endforeach()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(CAF
  REQUIRED_VARS ${_caf_required}
  VERSION_VAR CAF_VERSION
  HANDLE_COMPONENTS
  REASON_FAILURE_MESSAGE "CAF, the C++ Actor Framework, is needed (Debian: libcaf-dev)")

unset(_caf_components)
unset(_caf_required)
unset(_caf_line)
unset(_caf_number)
unset(_caf_part)
