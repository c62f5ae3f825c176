/// Which Muster this is. CMake takes the project's version from here, so the two never differ.
///
/// Until 1.0 a new minor version may change the interface and has a shared library of another name (libmuster.so.0.1);
/// a new patch version changes neither.
#pragma once

/// 0 until the interface is promised to stay.
#define MUSTER_VERSION_MAJOR 0
/// Rises with each change of the interface.
#define MUSTER_VERSION_MINOR 1
/// Rises with each mend that does not touch the interface.
#define MUSTER_VERSION_PATCH 0

/// To be compared with: `#if MUSTER_VERSION >= 100` is 0.1.0 or later.
#define MUSTER_VERSION (MUSTER_VERSION_MAJOR * 10000 + MUSTER_VERSION_MINOR * 100 + MUSTER_VERSION_PATCH)
