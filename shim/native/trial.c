/*
 * Tries in a child what this process might not survive, or never come back from. The child has no signal for its parent, so that the program does not
 * notice it, and nothing of the program's to write to.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "freeflow.h"
#include "kernel.h"

char ff_task_state(const char *folder, int id) {
  char path[64], text[128];
  snprintf(path, sizeof path, "%s/%d/stat", folder, id);
  if (ff_read_file(path, text, sizeof text) < 0) return 0;
  const char *state = strrchr(text, ')');
  return state && state[1] == ' ' ? state[2] : 0;
}

enum { LOOK_NANOSECONDS = 1000000, LOOKS_ASLEEP = 5, MOST_LOOKS = 1000 };

int ff_survives_in_child(void (*trial)(void)) {
  int child = (int)ff_kernel(SYS_clone, 0, 0, 0, 0, 0, 0), status = 0, word = 0;
  if (child == 0) {
    const struct rlimit no_core = { 0, 0 };
    ff_kernel(SYS_prlimit64, 0, RLIMIT_CORE, (long)&no_core, 0, 0, 0);
    ff_kernel(SYS_close_range, 0, UINT_MAX, 0, 0, 0, 0);
    trial();
    for (;;) ff_kernel(SYS_exit_group, 0, 0, 0, 0, 0, 0);
  }
  if (child < 0) return 0;
  for (int looks = 0, asleep = 0;;) {
    const struct timespec step = { 0, LOOK_NANOSECONDS };
    long ended = ff_kernel(SYS_wait4, child, (long)&status, __WCLONE | WNOHANG, 0, 0, 0);
    if (ended == child) return status == 0;
    if (ended < 0 && ended != -EINTR) return 0;
    ff_kernel(SYS_futex, (long)&word, FUTEX_WAIT_PRIVATE, 0, (long)&step, 0, 0);
    asleep = ff_task_state("/proc", child) == 'S' ? asleep + 1 : 0;
    if (asleep < LOOKS_ASLEEP && ++looks < MOST_LOOKS) continue;
    ff_kernel(SYS_kill, child, SIGKILL, 0, 0, 0, 0);
    while (ff_kernel(SYS_wait4, child, (long)&status, __WCLONE, 0, 0, 0) == -EINTR) { }
    return 0;
  }
}
