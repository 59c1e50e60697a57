/*
 * In front of libc, after libfreeflow.so: the clocks of a machine that somebody sets while programs run, or that was stopped for a while.
 *
 * CLOCK_STEPS=real       the time of day jumps by up to a day, forwards and back, a hundred times a second
 * CLOCK_STEPS=monotonic  the monotonic clock leaps forwards by up to an hour once in a while, as after a virtual machine was stopped
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { DAY = 86400, HOUR = 3600 };

static int mode(void) {
  static int known;
  if (!known) {
    const char *wish = getenv("CLOCK_STEPS");
    known = !wish ? 1 : wish[0] == 'r' ? 2 : 3;
  }
  return known;
}

static uint64_t mix(uint64_t number) { number *= 0x9e3779b97f4a7c15u; number ^= number >> 29; number *= 0xbf58476d1ce4e5b9u; return number ^ (number >> 32); }

int clock_gettime(clockid_t clock, struct timespec *time) {
  int result = (int)syscall(SYS_clock_gettime, clock, time);
  if (result != 0) return result;
  struct timespec now;
  syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
  if (mode() == 2 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
    time->tv_sec += (time_t)(mix((uint64_t)now.tv_sec * 100 + (uint64_t)now.tv_nsec / 10000000) % (2 * DAY)) - DAY;
  /* One leap every half a second, all of them added up: it never goes back. */
  if (mode() == 3 && (clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE || clock == CLOCK_BOOTTIME)) {
    static uint64_t leaps, sum;
    uint64_t due = (uint64_t)now.tv_sec * 2 + (uint64_t)now.tv_nsec / 500000000;
    uint64_t last = __atomic_load_n(&leaps, __ATOMIC_RELAXED);
    if (last == 0) __atomic_store_n(&leaps, due, __ATOMIC_RELAXED);
    else if (due > last && __atomic_compare_exchange_n(&leaps, &last, due, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
      __atomic_add_fetch(&sum, mix(due) % HOUR, __ATOMIC_RELAXED);
    time->tv_sec += (time_t)__atomic_load_n(&sum, __ATOMIC_RELAXED);
  }
  return 0;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
  struct timespec now;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &now);
  *time = (struct timeval){ now.tv_sec, now.tv_nsec / 1000 };
  return 0;
}

time_t time(time_t *where) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (where) *where = now.tv_sec;
  return now.tv_sec;
}
