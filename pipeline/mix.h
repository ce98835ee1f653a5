// Turns a number into one that looks random: splitmix64's finisher (S. Vigna, public domain,
// https://prng.di.unimi.it/splitmix64.c), so that a seed means the same with every standard library.
#pragma once

#include <cstdint>

namespace fantail {

inline std::uint64_t mix(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9ULL;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBULL;
  return value ^ (value >> 31);
}

}  // namespace fantail
