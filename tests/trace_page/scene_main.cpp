/// Writes the page of one of the scenes, for the test in a browser: muster-page-scene <scene> <file>.
#include "scenes.hpp"
#include "page_writer.hpp"

#include <cstdio>
#include <fstream>

int main(int argc, char** argv) {
  if (argc != 3)
    return std::fputs("usage: muster-page-scene SCENE FILE\n", stderr), 2;
  const auto trace = page_scenes::by_name(argv[1]);
  if (!trace)
    return std::fprintf(stderr, "muster-page-scene: there is no scene %s\n", argv[1]), 2;
  std::ofstream file{argv[2], std::ios::binary};
  muster::trace_viewer::write_page(*trace, file);
  file.close();
  if (!file)
    return std::fprintf(stderr, "muster-page-scene: %s could not be written\n", argv[2]), 1;
  return 0;
}
