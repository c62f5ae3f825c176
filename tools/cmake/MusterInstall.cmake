# What `cmake --install` writes, and the Debian packages that `cpack -G DEB` makes of it.
#
# Two components: muster_runtime, what programs that use the shared library need, and muster_development, everything else.
# Everything is found relative to where it lies, so the folder may be moved.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/muster")

# The two kinds of library have files of their own, of which the config file reads the one that is wanted.
foreach(kind IN ITEMS static shared)
  install(TARGETS muster_${kind} EXPORT muster-${kind}-targets
    LIBRARY COMPONENT muster_runtime NAMELINK_COMPONENT muster_development
    ARCHIVE COMPONENT muster_development
    INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
  install(EXPORT muster-${kind}-targets NAMESPACE muster:: DESTINATION "${package_dir}" COMPONENT muster_development)
endforeach()
install(DIRECTORY runtime/include/ actors/include/ DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
  COMPONENT muster_development FILES_MATCHING PATTERN "*.hpp")

# It goes with the CAF that it is built with: 0.17 or 1.1.
string(REGEX MATCH "^[0-9]+\\.[0-9]+" muster_caf_series "${CAF_VERSION}")
configure_package_config_file(tools/cmake/muster-config.cmake.in "${PROJECT_BINARY_DIR}/muster-config.cmake"
  INSTALL_DESTINATION "${package_dir}" NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/muster-config-version.cmake" COMPATIBILITY SameMinorVersion)
install(FILES
  "${PROJECT_BINARY_DIR}/muster-config.cmake"
  "${PROJECT_BINARY_DIR}/muster-config-version.cmake"
  tools/cmake/FindCAF.cmake
  DESTINATION "${package_dir}" COMPONENT muster_development)

# For pkg-config. CAF has no file of its own for it everywhere, so its place is written into ours.
file(RELATIVE_PATH to_prefix "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/prefix")
foreach(name IN ITEMS muster muster-caf)
  configure_file(tools/cmake/${name}.pc.in "${PROJECT_BINARY_DIR}/${name}.pc.in" @ONLY)
  file(GENERATE OUTPUT "${PROJECT_BINARY_DIR}/${name}.pc" INPUT "${PROJECT_BINARY_DIR}/${name}.pc.in" TARGET muster_static)
  install(FILES "${PROJECT_BINARY_DIR}/${name}.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig"
    COMPONENT muster_development)
endforeach()

# ---- Debian packages -------------------------------------------------------------------------------------------------

# libmuster0.1 has the shared library; libmuster-dev headers, the static library and what finds them. What the first one
# needs is read from it (dpkg-shlibdeps).
if(PROJECT_IS_TOP_LEVEL)
  set(soversion ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
  set(CPACK_PACKAGE_NAME muster)
  set(CPACK_PACKAGE_CONTACT "The Muster project <muster@localhost>")
  set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
  set(CPACK_RESOURCE_FILE_LICENSE "${PROJECT_SOURCE_DIR}/LICENSE")
  set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
  set(CPACK_COMPONENTS_ALL muster_runtime muster_development)
  set(CPACK_STRIP_FILES ON)
  set(CPACK_DEB_COMPONENT_INSTALL ON)
  set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
  set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
  set(CPACK_DEBIAN_MUSTER_RUNTIME_PACKAGE_NAME libmuster${soversion})
  set(CPACK_DEBIAN_MUSTER_RUNTIME_PACKAGE_SECTION libs)
  set(CPACK_DEBIAN_MUSTER_RUNTIME_PACKAGE_SHLIBDEPS ON)
  set(CPACK_DEBIAN_MUSTER_RUNTIME_DESCRIPTION "${PROJECT_DESCRIPTION}: the shared library")
  set(CPACK_DEBIAN_MUSTER_DEVELOPMENT_PACKAGE_NAME libmuster-dev)
  set(CPACK_DEBIAN_MUSTER_DEVELOPMENT_PACKAGE_SECTION libdevel)
  set(CPACK_DEBIAN_MUSTER_DEVELOPMENT_PACKAGE_DEPENDS
    "libmuster${soversion} (= ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}), libcaf-dev, libfmt-dev")
  set(CPACK_DEBIAN_MUSTER_DEVELOPMENT_DESCRIPTION "${PROJECT_DESCRIPTION}: headers and the static library")
  include(CPack)
endif()
