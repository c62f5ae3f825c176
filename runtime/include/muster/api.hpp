/// What the shared library exports: what the public headers declare, and nothing else.
///
/// The library is compiled with hidden symbols. Every public header puts what it declares between MUSTER_API_BEGIN and
/// MUSTER_API_END, after its last include; a class that it only names, because its inside is the library's own, is
/// declared with MUSTER_INSIDE. So no function needs a mark of its own. A static library is not changed by it.
///
/// Owner: nobody. `tests/house` holds both rules.
#pragma once

/// What follows is exported.
#define MUSTER_API_BEGIN _Pragma("GCC visibility push(default)")
/// And what follows this is not.
#define MUSTER_API_END _Pragma("GCC visibility pop")

/// `class MUSTER_INSIDE name;`
#define MUSTER_INSIDE [[gnu::visibility("hidden")]]
