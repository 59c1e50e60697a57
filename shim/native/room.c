/*
 * Whether this process can spare what the managed core takes: about 350 MB of address space (almost none of it is ever touched), 50 MB that
 * RLIMIT_DATA counts, and system calls. The runtime cannot say that it could not start: it aborts. And a program that lives close to its limits
 * must not meet them earlier for the shim's sake; one that locks its memory must not find the runtime's locked, too. Nor can a seccomp filter be asked what it kills for.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "freeflow.h"
#include "kernel.h"

enum { ADDRESS_SPACE_MB = 4096, DATA_MB = 512 };

long ff_read_file(const char *path, char *text, long capacity) {
  long fd = ff_kernel(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0, 0, 0);
  if (fd < 0) return fd;
  long length = ff_kernel(SYS_read, fd, (long)text, capacity - 1, 0, 0, 0);
  ff_kernel(SYS_close, fd, 0, 0, 0, 0, 0);
  text[length < 0 ? 0 : length] = 0;
  return length;
}

/* Pages of address space in use, and of data and stack, by /proc/self/statm (proc(5)); 0 if it cannot be read. */
static int pages_in_use(unsigned long *all, unsigned long *data) {
  char text[256];
  if (ff_read_file("/proc/self/statm", text, sizeof text) <= 0) return 0;
  char *at = text;
  for (int field = 0; field < 6; field++) {
    unsigned long value = strtoul(at, &at, 10);
    if (field == 0) *all = value;
    if (field == 5) *data = value;
  }
  return 1;
}

/* What /proc/self/status says behind a name (proc(5)); NULL if it cannot be read. One thread at a time asks, and its stack may be small. */
static const char *status_of(const char *name) {
  static char text[4096];
  if (ff_read_file("/proc/self/status", text, sizeof text) <= 0) return NULL;
  const char *line = strstr(text, name);
  return line ? line + strlen(name) : "";
}

/* KiB of locked memory; -1 if it cannot be read. */
static long locked_memory(void) {
  const char *locked = status_of("\nVmLck:");
  return locked ? strtol(locked, NULL, 10) : -1;
}

/*
 * mlockall(2) with MCL_FUTURE: all that the runtime reserves would be locked, and most of it made resident, or refused by RLIMIT_MEMLOCK, which the runtime
 * does not survive. Nothing tells but a new page.
 */
static int locks_future_memory(void) {
  unsigned char resident = 0;
  long size = sysconf(_SC_PAGESIZE), before = locked_memory();
  long page = ff_kernel(SYS_mmap, 0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page < 0 && page > -4096) return 1;
  ff_kernel(SYS_mincore, page, size, (long)&resident, 0, 0, 0);
  int locked = (resident & 1) || locked_memory() != before;
  ff_kernel(SYS_munmap, page, size, 0, 0, 0, 0);
  return locked;
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

/*
 * What the core and its runtime call and a program may have no need of, with arguments that do nothing. A filter that answers with an errno is
 * met where the call is made; one that kills is found out by a child. Without a filter there is no child.
 */
static const struct { long number, a, b; } unusual[] = {
  { SYS_memfd_create, 0, 0 }, { SYS_ftruncate, -1, 0 }, { SYS_madvise, 0, 0 }, { SYS_membarrier, 0, 0 }, { SYS_sched_getaffinity, 0, 0 },
  { SYS_sched_setaffinity, 0, 0 }, { SYS_sched_yield, 0, 0 }, { SYS_sigaltstack, 0, 0 }, { SYS_clone3, 0, 0 }, { SYS_gettid, 0, 0 }, { SYS_getpid, 0, 0 },
  { SYS_getppid, 0, 0 }, { SYS_tgkill, -1, -1 }, { SYS_kill, 1, 0 }, { SYS_sendmsg, -1, 0 }, { SYS_recvmsg, -1, 0 }, { SYS_sendto, -1, 0 }, { SYS_recvfrom, -1, 0 },
  { SYS_getsockopt, -1, 0 }, { SYS_getsockname, -1, 0 }, { SYS_getpeername, -1, 0 }, { SYS_shutdown, -1, 0 }, { SYS_ppoll, 1, 1 }, { SYS_poll, 1, 1 }, { SYS_ioctl, -1, 0 }, { SYS_fcntl, -1, 1 },
  { SYS_eventfd2, 0, -1 }, { SYS_epoll_ctl, -1, 0 }, { SYS_epoll_pwait, -1, 0 }, { SYS_epoll_pwait2, -1, 0 }, { SYS_prlimit64, 0, RLIMIT_NOFILE },
  { SYS_preadv2, -1, 0 }, { SYS_readlink, 0, 0 }, { SYS_clock_gettime, -1, 0 }, { SYS_get_mempolicy, 0, 0 }, { SYS_sysinfo, 0, 0 },
  { SYS_set_robust_list, 0, 0 }, { SYS_rt_sigprocmask, -1, 0 }, { SYS_rt_sigaction, -1, 0 }, { SYS_futex, 0, -1 },
};

static int is_filtered(void) {
  const char *filter = status_of("\nSeccomp:\t");
  return !filter || (*filter != 0 && *filter != '0');
}

static void make_unusual_calls(void) {
  for (unsigned i = 0; i < sizeof unusual / sizeof *unusual; i++) ff_kernel(unusual[i].number, unusual[i].a, unusual[i].b, 0, 0, 0, 0);
}

int ff_survives_its_filter(void) { return !is_filtered() || ff_survives_in_child(make_unusual_calls); }

int ff_is_there_room(void) { return !ff_sandboxed && has_memory() && !locks_future_memory(); }
