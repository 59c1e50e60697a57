/*
 * When main begins and ends. Before it the constructors of the program and of its libraries run, after it its atexit(3) handlers and destructors:
 * no time to open the core, whose own libraries would be started in the midst of the program's, or be ended before it.
 */
#define _GNU_SOURCE
#include <sys/auxv.h>
#include <unistd.h>

#include "freeflow.h"
#include "signals.h"

int ff_main_runs;

static int (*program)(int, char **, char **);

static int begin(int count, char **arguments, char **environment) {
  ff_process_id = getpid();
  ff_main_runs = 1;
  /* Programs with more rights than their user are not ours. */
  if (getauxval(AT_SECURE)) ff_core_is_open = -1;
  int status = program(count, arguments, environment);
  ff_main_runs = 0;
  return status;
}

typedef int (*main_t)(int, char **, char **);

/* What every program's first instructions call (ld's crt1.o); main is its first argument. */
FF_EXPORT int __libc_start_main(main_t main, int count, char **arguments, void (*init)(void), void (*fini)(void), void (*rtld_fini)(void), void *stack) {
  int (*real)(main_t, int, char **, void (*)(void), void (*)(void), void (*)(void), void *) = (__typeof__(real))ff_next_symbol("__libc_start_main");
  program = main;
  return real(begin, count, arguments, init, fini, rtld_fini, stack);
}
