#include "worker/options.h"

int main(int argc, char** argv) {
  return fantail::worker_main(argc, argv);
}
