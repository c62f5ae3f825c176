// The main function of Catch2 2; its 3 brings one along.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
