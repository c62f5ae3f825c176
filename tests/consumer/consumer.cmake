# Tests: Muster is taken into another project (this folder's) in each of the ways that the README names.
# Usage: cmake -DWAY=… -DBUILD=… -DCHECKOUT=… -DSCRATCH=… -DGENERATOR=… -DCOMPILER=… -DBUILD_TYPE=… -DPREFIX_PATH=… -DLAUNCHER=…
#   -DVERSION=0.1.0 -DCAF=… -DCAF_LIBRARIES=/usr/lib/… -P consumer.cmake
#
#   install       fills SCRATCH/prefix from the build tree, for the four that follow
#   static        find_package
#   shared        find_package
#   refused       find_package of another version, and with another CAF than Muster was built with (-DCAF=0.17.6)
#   pkg_config    by hand, shared and static
#   deb           find_package of the Debian packages that cpack makes, unpacked into a folder; skipped where CAF is not Debian's
#   subdirectory  add_subdirectory: configured, and the program compiled but not the library
#   content       FetchContent: the whole library compiled with another project's flags

# run(<command…>): its output in `output`; ends the test if it fails.
function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT code STREQUAL "0")
    list(JOIN ARGV " " command)
    message(FATAL_ERROR "${command}\nended with ${code}:\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

string(REGEX MATCH "^[0-9]+\\.[0-9]+" soversion "${VERSION}")

# needs_shared(<program> <TRUE or FALSE>): whether it is linked to the shared library.
function(needs_shared program wanted)
  run(readelf -d "${program}")
  string(FIND "${output}" "[libmuster.so.${soversion}]" place)
  if((wanted AND place EQUAL -1) OR (NOT wanted AND output MATCHES "libmuster"))
    message(FATAL_ERROR "linked to libmuster.so.${soversion}: ${wanted} was wanted, but\n${output}")
  endif()
endfunction()

# answers(<command…>): the program says which version it has, and its answer.
function(answers)
  run(${ARGV})
  if(NOT output STREQUAL "Muster ${VERSION}: 42\n")
    message(FATAL_ERROR "the program said: ${output}")
  endif()
endfunction()

# looks_in(<prefix…>): where packages are found besides the system's places. By the environment, since a list is torn to
# pieces on its way through several calls.
function(looks_in)
  list(JOIN ARGN ":" places)
  set(ENV{CMAKE_PREFIX_PATH} "${places}")
endfunction()

# configured(<folder> <option…>)
function(configured folder)
  file(REMOVE_RECURSE "${folder}")
  run("${CMAKE_COMMAND}" -S "${CMAKE_CURRENT_FUNCTION_LIST_DIR}" -B "${folder}" -G "${GENERATOR}"
    "-DCMAKE_CXX_COMPILER=${COMPILER}" "-DCMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER}" ${ARGN})
  if(output MATCHES "CMake Warning")
    message(FATAL_ERROR "configuring warned:\n${output}")
  endif()
endfunction()

# refused(<pattern> <option…>): configuring fails, and says so.
function(refused pattern)
  set(folder "${SCRATCH}/refused")
  file(REMOVE_RECURSE "${folder}")
  execute_process(COMMAND "${CMAKE_COMMAND}" -S "${CMAKE_CURRENT_FUNCTION_LIST_DIR}" -B "${folder}" -G "${GENERATOR}"
    "-DCMAKE_CXX_COMPILER=${COMPILER}" ${ARGN} RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
  string(REGEX REPLACE "[ \n]+" " " output "${output}")
  if(code STREQUAL "0" OR NOT output MATCHES "${pattern}")
    message(FATAL_ERROR "it should have been refused with '${pattern}', but ended with ${code}:\n${output}")
  endif()
endfunction()

# found(<prefix> <where to build> <static or shared> <option…>): by find_package.
function(found prefix folder kind)
  looks_in("${prefix}" ${PREFIX_PATH})
  configured("${folder}" "-DCMAKE_BUILD_TYPE=${BUILD_TYPE}" ${ARGN})
  run("${CMAKE_COMMAND}" --build "${folder}")
  if(kind STREQUAL "shared")
    needs_shared("${folder}/consumer" TRUE)
  else()
    needs_shared("${folder}/consumer" FALSE)
  endif()
  answers("${folder}/consumer")
endfunction()

# Not for release: what is not optimised is compiled sooner.
set(soon "-DCMAKE_BUILD_TYPE=Debug" "-DCMAKE_CXX_FLAGS_DEBUG=-O0" "-DMUSTER_CHECKOUT=${CHECKOUT}")
looks_in(${PREFIX_PATH})

if(WAY STREQUAL "install")
  file(REMOVE_RECURSE "${SCRATCH}/prefix")
  run("${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${SCRATCH}/prefix")

elseif(WAY STREQUAL "static")
  found("${SCRATCH}/prefix" "${SCRATCH}/static" static)
  # What is asked for by name counts more than BUILD_SHARED_LIBS.
  found("${SCRATCH}/prefix" "${SCRATCH}/static" static -DBUILD_SHARED_LIBS=ON -DMUSTER_KIND=static)

elseif(WAY STREQUAL "shared")
  found("${SCRATCH}/prefix" "${SCRATCH}/shared" shared -DBUILD_SHARED_LIBS=ON)

elseif(WAY STREQUAL "refused")
  looks_in("${SCRATCH}/prefix" ${PREFIX_PATH})
  refused("compatible with requested version \"0\\.2\"" -DMUSTER_WANTED=0.2)
  # A CAF whose version begins with the same digits, and is another.
  string(REGEX MATCH "^[0-9]+\\.[0-9]+" series "${CAF}")
  set(other "${SCRATCH}/other_caf")
  file(WRITE "${other}/CAFConfig.cmake" "set(CAF_VERSION ${series}0.0)\nset(CAF_core_FOUND TRUE)\nadd_library(CAF::core INTERFACE IMPORTED)\n")
  refused("built with CAF ${CAF}, but CAF ${series}0\\.0 was found" "-DCAF_DIR=${other}")

elseif(WAY STREQUAL "pkg_config")
  set(folder "${SCRATCH}/pkg_config")
  file(REMOVE_RECURSE "${folder}")
  file(MAKE_DIRECTORY "${folder}")
  file(GLOB_RECURSE pc "${SCRATCH}/prefix/*/muster.pc")
  cmake_path(GET pc PARENT_PATH pc_folder)
  cmake_path(GET pc_folder PARENT_PATH libraries)
  set(ENV{PKG_CONFIG_PATH} "${pc_folder}")
  set(compiler "${COMPILER}")
  set(ENV{LD_LIBRARY_PATH} "${libraries}:${CAF_LIBRARIES}")
  run(sh -c "${compiler} -std=c++23 -c -o '${folder}/main.o' '${CMAKE_CURRENT_LIST_DIR}/main.cpp' $(pkg-config --cflags muster-caf)")
  run(sh -c "${compiler} -o '${folder}/shared' '${folder}/main.o' $(pkg-config --libs muster-caf)")
  needs_shared("${folder}/shared" TRUE)
  answers("${folder}/shared")
  set(static "--static --define-variable=muster=-l:libmuster.a")
  run(sh -c "${compiler} -o '${folder}/static' '${folder}/main.o' $(pkg-config ${static} --libs muster-caf)")
  needs_shared("${folder}/static" FALSE)
  answers("${folder}/static")
  # A program without CAF, by the very commands of the README.
  set(app "${CHECKOUT}/examples/hello_scope/main.cpp")
  run(sh -c "${compiler} -std=c++23 -o '${folder}/app' '${app}' $(pkg-config --cflags --libs muster)")
  needs_shared("${folder}/app" TRUE)
  run("${folder}/app")
  run(sh -c "${compiler} -std=c++23 -o '${folder}/app' '${app}' $(pkg-config --cflags --libs ${static} muster)")
  needs_shared("${folder}/app" FALSE)
  run("${folder}/app")
  run(pkg-config --modversion muster)
  if(NOT output STREQUAL "${VERSION}\n")
    message(FATAL_ERROR "muster.pc is of version ${output}")
  endif()

elseif(WAY STREQUAL "deb" AND NOT CAF_LIBRARIES MATCHES "^/usr/lib/")
  message("skipped: CAF is not of a package that ours could depend on")

elseif(WAY STREQUAL "deb")
  set(folder "${SCRATCH}/deb")
  file(REMOVE_RECURSE "${folder}")
  run("${CMAKE_CPACK_COMMAND}" -G DEB --config "${BUILD}/CPackConfig.cmake" -B "${folder}" -D CPACK_DEBIAN_COMPRESSION_TYPE=gzip)
  file(GLOB runtime "${folder}/libmuster${soversion}_${VERSION}-1_*.deb")
  file(GLOB development "${folder}/libmuster-dev_${VERSION}-1_*.deb")
  if(NOT runtime OR NOT development)
    message(FATAL_ERROR "the two packages are not there:\n${output}")
  endif()
  run(dpkg-deb -f "${runtime}" Depends)
  foreach(needed IN ITEMS "libc6 " "libcaf-core" "libfmt" "libstdc\\+\\+6 ")
    if(NOT output MATCHES "${needed}")
      message(FATAL_ERROR "the runtime package should depend on ${needed}: ${output}")
    endif()
  endforeach()
  run(dpkg-deb -f "${development}" Depends)
  if(NOT output STREQUAL "libmuster${soversion} (= ${VERSION}-1), libcaf-dev, libfmt-dev\n")
    message(FATAL_ERROR "the development package depends on ${output}")
  endif()
  run(dpkg-deb -c "${runtime}")
  if(NOT output MATCHES "libmuster\\.so\\.${VERSION}" OR output MATCHES "\\.(hpp|a|cmake)\n|libmuster\\.so\n")
    message(FATAL_ERROR "the runtime package has the shared library and nothing else, but:\n${output}")
  endif()
  run(dpkg-deb -x "${runtime}" "${folder}/root")
  run(dpkg-deb -x "${development}" "${folder}/root")
  found("${folder}/root/usr" "${folder}/build" shared -DMUSTER_KIND=shared)

elseif(WAY STREQUAL "subdirectory")
  configured("${SCRATCH}/subdirectory" ${soon} -DMUSTER_BY=subdirectory)
  run("${CMAKE_COMMAND}" --build "${SCRATCH}/subdirectory" --target consumer_objects)

elseif(WAY STREQUAL "content")
  configured("${SCRATCH}/content" ${soon} -DMUSTER_BY=content)
  run("${CMAKE_COMMAND}" --build "${SCRATCH}/content")
  needs_shared("${SCRATCH}/content/consumer" FALSE)
  answers("${SCRATCH}/content/consumer")
  file(GLOB_RECURSE shared "${SCRATCH}/content/*.so*")
  if(shared)
    message(FATAL_ERROR "a shared library that nobody asked for was built: ${shared}")
  endif()

else()
  message(FATAL_ERROR "there is no way '${WAY}'")
endif()
