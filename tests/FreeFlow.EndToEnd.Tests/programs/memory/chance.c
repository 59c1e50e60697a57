#include "memory.h"

static uint64_t state;

void chance_begin(uint64_t seed, uint64_t number) {
  state = seed * 0x9e3779b97f4a7c15u + number * 0xbf58476d1ce4e5b9u + 1;
  for (int i = 0; i < 4; i++) chance(2);
}

uint32_t chance(uint32_t below) {
  state += 0x9e3779b97f4a7c15u;
  uint64_t mixed = state;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
  return (uint32_t)((mixed ^ (mixed >> 31)) >> 16) % below;
}

int one_in(uint32_t times) { return chance(times) == 0; }
