// An application that knows nothing of Muster and loads plugins that have it inside.
// Usage: muster-plugin-host <rounds> close|keep <plugin>…
//
// In each round every plugin is loaded, asked, and (with `close`) unloaded. In the end there must be one thread again,
// and no more descriptors and mappings than after the first rounds.
#include "../process_counts.hpp"

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

namespace {

int failed(const char* what, const char* which) {
  std::fprintf(stderr, "%s: %s\n", which, what);
  return 1;
}

} // namespace

int main(int argc, char** argv) {
  if (argc < 4)
    return failed("<rounds> close|keep <plugin>…", argv[0]);
  const int rounds = std::atoi(argv[1]);
  const bool closes = std::strcmp(argv[2], "close") == 0;
  constexpr int first_rounds = 3;
  std::size_t descriptors = 0;
  std::size_t mapped = 0;
  for (int round = 0; round < rounds; ++round) {
    for (int i = 3; i < argc; ++i) {
      void* plugin = ::dlopen(argv[i], RTLD_NOW | RTLD_LOCAL);
      if (plugin == nullptr)
        return failed(::dlerror(), argv[i]);
      const auto answer = reinterpret_cast<int (*)()>(::dlsym(plugin, "plugin_answer"));
      if (answer == nullptr || answer() != 42)
        return failed("the answer is wrong", argv[i]);
      if (closes && ::dlclose(plugin) != 0)
        return failed(::dlerror(), argv[i]);
    }
    // A joined thread leaves the list a moment later.
    while (process_counts::threads() > 1)
      std::this_thread::yield();
    if (round == first_rounds) {
      descriptors = process_counts::descriptors();
      mapped = process_counts::mappings();
    }
  }
  if (rounds > first_rounds && process_counts::descriptors() > descriptors)
    return failed("there are more descriptors than in the beginning", argv[0]);
  if (rounds > first_rounds && process_counts::mappings() > mapped + 20)
    return failed("there are more mappings than in the beginning", argv[0]);
  std::puts("all is well");
}
