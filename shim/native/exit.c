/*
 * A process that ends with connections open: the kernel closes them, but nothing tells the peers that their rings have no reader and no
 * writer any more. So it is told here, on every way out but a signal's.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "freeflow.h"

void ff_before_exit(void);

void ff_prepare_exit(void) {
  if (ff_core_works() && ff_tracked_count > 0) ff_before_exit();
}

/* exit(3), a return from main: libc ends the process from inside, after the last library's destructor. */
__attribute__((destructor)) static void at_exit(void) { ff_prepare_exit(); }

static void leave(const char *name, int status) {
  void (*real)(int) = (void (*)(int))ff_next_symbol(name);
  ff_prepare_exit();
  if (real) real(status);
  for (;;) syscall(SYS_exit_group, status);
}

int ff_exit_has_begun;

FF_EXPORT void exit(int status) {
  ff_exit_has_begun = 1;
  REAL(exit)(status);
  __builtin_unreachable();
}
FF_EXPORT void _exit(int status) { leave("_exit", status); __builtin_unreachable(); }
FF_EXPORT void _Exit(int status) { leave("_Exit", status); __builtin_unreachable(); }
FF_EXPORT void quick_exit(int status) { ff_exit_has_begun = 1; leave("quick_exit", status); __builtin_unreachable(); }
