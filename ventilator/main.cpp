#include "ventilator/options.h"

int main(int argc, char** argv) {
  return fantail::ventilator_main(argc, argv);
}
