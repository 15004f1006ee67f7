#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <iostream>

#include "lab.h"

int main(int argc, char** argv) {
  // ctest counts this code as skipped.
  constexpr int skipped = 77;
  if (const std::string problem = weft::test::prepare_privileges(); !problem.empty()) {
    std::cerr << "skipped: " << problem << '\n';
    return skipped;
  }
  return doctest::Context(argc, argv).run();
}
