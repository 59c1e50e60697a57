/*
 * Whether this process can spare what the managed core takes: about 350 MB of address space (almost none of it is ever touched), 50 MB that
 * RLIMIT_DATA counts, and one thread. The runtime cannot say that it could not start: it aborts. And a program that lives close to its limits
 * must not meet them earlier for the shim's sake.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "freeflow.h"

enum { ADDRESS_SPACE_MB = 4096, DATA_MB = 512 };

/* Pages of address space in use, and of data and stack, by /proc/self/statm (proc(5)); 0 if it cannot be read. */
static int pages_in_use(unsigned long *all, unsigned long *data) {
  char text[256];
  int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  if (fd >= 0) close(fd);
  if (length <= 0) return 0;
  text[length] = 0;
  char *at = text;
  for (int field = 0; field < 6; field++) {
    unsigned long value = strtoul(at, &at, 10);
    if (field == 0) *all = value;
    if (field == 5) *data = value;
  }
  return 1;
}

static int has_memory(void) {
  struct rlimit space, data;
  if (getrlimit(RLIMIT_AS, &space) != 0 || getrlimit(RLIMIT_DATA, &data) != 0) return 0;
  if (space.rlim_cur == RLIM_INFINITY && data.rlim_cur == RLIM_INFINITY) return 1;
  unsigned long all, used, page = (unsigned long)sysconf(_SC_PAGESIZE);
  if (!pages_in_use(&all, &used)) return 0;
  return (space.rlim_cur == RLIM_INFINITY || space.rlim_cur / page >= all + ((unsigned long)ADDRESS_SPACE_MB << 20) / page)
      && (data.rlim_cur == RLIM_INFINITY || data.rlim_cur / page >= used + ((unsigned long)DATA_MB << 20) / page);
}

static void *nothing(void *unused) { return unused; }

/* RLIMIT_NPROC, a control group's pids.max, a seccomp filter. */
static int has_threads(void) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, nothing, NULL) != 0) return 0;
  pthread_join(thread, NULL);
  return 1;
}

int ff_is_there_room(void) { return has_memory() && has_threads(); }
