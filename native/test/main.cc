#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include "aead/aead.h"

int main(int argc, char** argv) {
  if (!weft::aead_init()) return 1;
  return doctest::Context(argc, argv).run();
}
