#include "cli/front.h"

int main(int argc, char** argv) {
  return fantail::front_main(argc, argv);
}
