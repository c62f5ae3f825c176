// What the benchmark's case `compile` measures scope.cpp against: the headers that about any program includes.
#include <expected>
#include <functional>
#include <string>
#include <vector>

int main() { return 0; }
