/*
 * syscall(2), and calls that change what the process may do. A system call made by number goes where its name goes, so that it sees what is
 * in a ring: those of the [Interpose] marks by the generated switch, those that are interposed in C by the one below. A process that installs a seccomp filter allows what it calls itself, not what a shim calls for it: everything goes back to the
 * kernel and to the application's own calls before.
 */
#define _GNU_SOURCE
/* Declared variadic, defined here with the arguments that the kernel takes. */
#define syscall declared_syscall
#define prctl declared_prctl
#include <dlfcn.h>
#include <errno.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#undef syscall
#undef prctl

#include "early.h"
#include "freeflow.h"

void ff_retire(void);
void ff_copied(int fd);
void ff_before_io_submit(long count, void *list);

int ff_sandboxed;

typedef long (*syscall_t)(long, long, long, long, long, long, long);

static void sandbox(void) {
  int saved = errno;
  ff_sandboxed = 1;
  if (ff_core_works()) {
    ff_retire();
    if (ff_tracked_count == 0) __atomic_store_n(&ff_core_is_open, -1, __ATOMIC_RELEASE);
  } else {
    __atomic_store_n(&ff_core_is_open, -1, __ATOMIC_RELEASE);
    ff_early_forget_all();
  }
  errno = saved;
}

static int copied(long fd) {
  int saved = errno;
  if (fd >= 0 && ff_core_works()) ff_copied((int)fd);
  else if (fd >= 0) ff_early_forget_all();
  errno = saved;
  return (int)fd;
}

/* libc's own, which returns -1 and sets errno. */
long ff_real_syscall(long number, long a, long b, long c, long d, long e, long f) {
  static syscall_t real;
  if (!real) real = (syscall_t)ff_next_symbol("syscall");
  return real(number, a, b, c, d, e, f);
}

/*
 * System calls whose arguments are not those of the libc call of their name: a signal mask comes with its size, and the time that is left is
 * written back. Arguments that the kernel would refuse go to the kernel, which says with what errno.
 */

enum { KERNEL_MASK_BYTES = 8 };

static int is_mask(long mask, long bytes) {
  char read[KERNEL_MASK_BYTES];
  return mask == 0 || (bytes == KERNEL_MASK_BYTES && ff_copy(read, (const void *)mask, sizeof read) == 0);
}

/* 1: the time that must not be exceeded is known; 0: for ever; -1: the kernel must say what is wrong with it. */
static int read_timeout(long timeout, struct timespec *given, struct timespec *began) {
  if (timeout == 0) return 0;
  if (ff_copy(given, (const void *)timeout, sizeof *given) != 0 || given->tv_sec < 0 || given->tv_nsec < 0 || given->tv_nsec > 999999999) return -1;
  clock_gettime(CLOCK_MONOTONIC, began);
  return 1;
}

/* As the kernel: a timeout of nothing is left alone, and one that cannot be written is no error. */
static void write_time_left(long timeout, const struct timespec *given, const struct timespec *began) {
  struct timespec now, left = { 0, 0 };
  if (given->tv_sec == 0 && given->tv_nsec == 0) return;
  clock_gettime(CLOCK_MONOTONIC, &now);
  long seconds = now.tv_sec - began->tv_sec, nanoseconds = now.tv_nsec - began->tv_nsec;
  if (nanoseconds < 0) { nanoseconds += 1000000000; seconds--; }
  if (seconds < given->tv_sec || (seconds == given->tv_sec && nanoseconds < given->tv_nsec)) {
    left = (struct timespec){ given->tv_sec - seconds, given->tv_nsec - nanoseconds };
    if (left.tv_nsec < 0) { left.tv_nsec += 1000000000; left.tv_sec--; }
  }
  int saved = errno;
  (void)!ff_copy((void *)timeout, &left, sizeof left);
  errno = saved;
}

long ff_ppoll_by_number(long descriptors, long count, long timeout, long mask, long bytes, long none) {
  struct timespec given, began;
  int timed = is_mask(mask, bytes) ? read_timeout(timeout, &given, &began) : -1;
  if (timed < 0) return ff_real_syscall(SYS_ppoll, descriptors, count, timeout, mask, bytes, none);
  int result = ppoll((struct pollfd *)descriptors, (unsigned)count, timed ? &given : NULL, (const sigset_t *)mask);
  if (timed) write_time_left(timeout, &given, &began);
  return result;
}

long ff_pselect6_by_number(long limit, long readable, long writable, long exceptional, long timeout, long mask_and_bytes) {
  long mask[2] = { 0, 0 };
  struct timespec given, began;
  int timed = mask_and_bytes == 0 || ff_copy(mask, (const void *)mask_and_bytes, sizeof mask) == 0 ? 0 : -1;
  if (timed == 0) timed = is_mask(mask[0], mask[1]) ? read_timeout(timeout, &given, &began) : -1;
  if (timed < 0) return ff_real_syscall(SYS_pselect6, limit, readable, writable, exceptional, timeout, mask_and_bytes);
  int result = pselect((int)limit, (fd_set *)readable, (fd_set *)writable, (fd_set *)exceptional, timed ? &given : NULL, (const sigset_t *)mask[0]);
  if (timed) write_time_left(timeout, &given, &began);
  return result;
}

/* The kernel carries microseconds that are more than a second. */
long ff_select_by_number(long limit, long readable, long writable, long exceptional, long timeout, long none) {
  struct timeval time;
  struct timespec given = { 0, 0 };
  if (timeout != 0) {
    if (ff_copy(&time, (const void *)timeout, sizeof time) != 0 || time.tv_sec < 0 || time.tv_usec < 0 || time.tv_sec > 1L << 60)
      return ff_real_syscall(SYS_select, limit, readable, writable, exceptional, timeout, none);
    given = (struct timespec){ time.tv_sec + time.tv_usec / 1000000, time.tv_usec % 1000000 * 1000 };
    time = (struct timeval){ given.tv_sec, given.tv_nsec / 1000 };
  }
  int result = select((int)limit, (fd_set *)readable, (fd_set *)writable, (fd_set *)exceptional, timeout ? &time : NULL);
  int saved = errno;
  if (timeout != 0 && (given.tv_sec != 0 || given.tv_nsec != 0)) (void)!ff_copy((void *)timeout, &time, sizeof time);
  errno = saved;
  return result;
}

long ff_epoll_pwait_by_number(long epoll, long events, long capacity, long timeout, long mask, long bytes) {
  if (!is_mask(mask, bytes)) return ff_real_syscall(SYS_epoll_pwait, epoll, events, capacity, timeout, mask, bytes);
  return epoll_pwait((int)epoll, (struct epoll_event *)events, (int)capacity, (int)timeout, (const sigset_t *)mask);
}

long ff_epoll_pwait2_by_number(long epoll, long events, long capacity, long timeout, long mask, long bytes) {
  struct timespec given, began;
  int timed = is_mask(mask, bytes) ? read_timeout(timeout, &given, &began) : -1;
  if (timed < 0) return ff_real_syscall(SYS_epoll_pwait2, epoll, events, capacity, timeout, mask, bytes);
  return epoll_pwait2((int)epoll, (struct epoll_event *)events, (int)capacity, timed ? &given : NULL, (const sigset_t *)mask);
}

/* The kernel has the position in two halves; on a machine of 64 bits the first one is all of it. */
long ff_preadv2_by_number(long fd, long vectors, long count, long position, long upper, long flags) {
  (void)upper;
  return preadv2((int)fd, (const struct iovec *)vectors, (int)count, position, (int)flags);
}
long ff_pwritev2_by_number(long fd, long vectors, long count, long position, long upper, long flags) {
  (void)upper;
  return pwritev2((int)fd, (const struct iovec *)vectors, (int)count, position, (int)flags);
}

/* Not variadic: the arguments lie in the same places, and those that the caller did not give are not looked at by the kernel either. */
FF_EXPORT long syscall(long number, long a, long b, long c, long d, long e, long f) {
  switch (number) {
    case SYS_fork: case SYS_clone: case SYS_clone3: return ff_fork_by_number(number, a, b, c, d, e, f);
    case SYS_execve: case SYS_execveat: ff_prepare_exec(); break;
    case SYS_exit_group: ff_prepare_exit(); break;
    case SYS_mlockall: return mlockall((int)a);
    case SYS_rt_sigprocmask: ff_thread_state.faults = FAULTS_UNKNOWN; break;
    case SYS_rt_sigaction: return ff_sigaction_by_number(a, b, c, d);
    case SYS_io_submit: if (ff_core_works()) ff_before_io_submit(b, (void *)c); break;
    case SYS_io_uring_setup: return ff_uring_setup(a, (void *)b);
    case SYS_io_uring_enter: return ff_uring_enter(a, b, c, d, e, f);
    case SYS_io_uring_register: return ff_uring_register(a, b, c, d);
    case SYS_pidfd_getfd: return copied(ff_real_syscall(number, a, b, c, d, e, f));
    case SYS_seccomp: if (a == SECCOMP_SET_MODE_STRICT || a == SECCOMP_SET_MODE_FILTER) sandbox(); break;
    case SYS_prctl: if (a == PR_SET_SECCOMP) sandbox(); break;
    default: return ff_interposed_by_number(number, a, b, c, d, e, f);
  }
  return ff_real_syscall(number, a, b, c, d, e, f);
}

FF_EXPORT int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d) {
  static int (*real)(int, unsigned long, unsigned long, unsigned long, unsigned long);
  if (!real) real = (__typeof__(real))ff_next_symbol("prctl");
  if (option == PR_SET_SECCOMP) sandbox();
  return real(option, a, b, c, d);
}

FF_EXPORT int pidfd_getfd(int process, int fd, unsigned flags) {
  int (*real)(int, int, unsigned) = (int (*)(int, int, unsigned))ff_next_symbol("pidfd_getfd");
  if (!real) { errno = ENOSYS; return -1; }
  return copied(real(process, fd, flags));
}
