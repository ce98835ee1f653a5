#include "sink/options.h"

int main(int argc, char** argv) {
  return fantail::sink_main(argc, argv);
}
