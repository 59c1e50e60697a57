/*
 * Processes that come to be with the connections of their parent. libc's own members (daemon, forkpty) fork from inside, so the work is
 * done by handlers of pthread_atfork(3); the interposed calls add what those cannot know: the child's number, and that there is none.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "early.h"
#include "freeflow.h"

int ff_before_fork(void);
void ff_after_fork(int held, int child);
void ff_in_child(int named);

#define CHILD_NAMES_ITSELF (-2)

static __thread int held, ours, counted;

static void prepare(void) {
  ff_note_fork();
  ff_early_unseen_fork();
  counted = ff_core_works();
  if (counted) held = ff_before_fork();
}
static void in_parent(void) { if (counted && !ours) ff_after_fork(held, CHILD_NAMES_ITSELF); }
static void in_child(void) {
  ff_note_child();
  if (!counted) ff_forget_opener();
  else ff_in_child(ours);
  ours = 0;
}

/* What pthread_atfork is in glibc; musl has it not. */
extern int __register_atfork(void (*)(void), void (*)(void), void (*)(void), void *) __attribute__((weak));
extern void *__dso_handle;

/* From the beginning, so that a fork while the core is being opened is noted, too. Takes no memory: glibc has room for the first handlers. */
__attribute__((constructor)) static void watch_forks(void) {
  if (__register_atfork) __register_atfork(prepare, in_parent, in_child, __dso_handle);
}

static void born(int locks, int child) {
  int saved = errno;
  ff_after_fork(locks, child);
  errno = saved;
}

FF_EXPORT pid_t fork(void) {
  ff_early_before_fork();
  if (!ff_core_works()) return REAL(fork)();
  ours = 1;
  pid_t child = REAL(fork)();
  if (child == 0) return 0;
  ours = 0;
  if (counted) born(held, child);
  return child;
}
FF_EXPORT pid_t __fork(void) __attribute__((alias("fork")));

/* Runs no handlers, and may be called by a signal handler. */
FF_EXPORT pid_t _Fork(void) {
  pid_t (*real)(void) = (pid_t (*)(void))ff_next_symbol("_Fork");
  if (!real) { errno = ENOSYS; return -1; }
  ff_early_before_fork();
  ff_early_unseen_fork();
  ff_note_fork();
  if (!ff_core_works()) {
    pid_t child = real();
    if (child == 0) { ff_note_child(); ff_forget_opener(); }
    return child;
  }
  int locks = ff_before_fork();
  pid_t child = real();
  if (child == 0) { ff_note_child(); ff_in_child(1); }
  else born(locks, child);
  return child;
}

/* Those that return twice, in two memories and on two copies of one stack, as fork(2) does. The first of clone3's arguments are its flags, the sixth its stack. */
static int is_fork(long number, long a, long b) {
  uint64_t arguments[6];
  if (number == SYS_fork) return 1;
  if (number == SYS_clone) return !(a & CLONE_VM) && b == 0;
  if (b < (long)sizeof arguments || ff_copy(arguments, (const void *)a, sizeof arguments) != 0) return 0;
  return !(arguments[0] & CLONE_VM) && arguments[5] == 0;
}

long ff_fork_by_number(long number, long a, long b, long c, long d, long e, long f) {
  if (!is_fork(number, a, b)) return ff_real_syscall(number, a, b, c, d, e, f);
  ff_early_before_fork();
  ff_early_unseen_fork();
  ff_note_fork();
  if (!ff_core_works()) {
    long child = ff_real_syscall(number, a, b, c, d, e, f);
    if (child == 0) { ff_note_child(); ff_forget_opener(); }
    return child;
  }
  int locks = ff_before_fork();
  long child = ff_real_syscall(number, a, b, c, d, e, f);
  if (child == 0) { ff_note_child(); ff_in_child(1); }
  else born(locks, (int)child);
  return child;
}

struct start { int (*function)(void *); void *argument; int counted; };

static int start_child(void *copied) {
  struct start start = *(struct start *)copied;
  ff_note_child();
  if (start.counted) ff_in_child(1);
  else ff_forget_opener();
  return start.function(start.argument);
}

/* Without CLONE_VM it is a fork. A child that shares the memory is met where it matters: Process.IsBorrowedMemory. */
FF_EXPORT int clone(int (*function)(void *), void *stack, int flags, void *argument, ...) {
  va_list list;
  va_start(list, argument);
  pid_t *parent_tid = va_arg(list, pid_t *);
  void *tls = va_arg(list, void *);
  pid_t *child_tid = va_arg(list, pid_t *);
  va_end(list);
  if ((flags & CLONE_VM) || !function || !stack) return REAL(clone)(function, stack, flags, argument, parent_tid, tls, child_tid);
  ff_early_before_fork();
  struct start start = { function, argument, ff_core_works() };
  ff_early_unseen_fork();
  ff_note_fork();
  int locks = start.counted ? ff_before_fork() : 0;
  int child = REAL(clone)(start_child, stack, flags, &start, parent_tid, tls, child_tid);
  if (start.counted) born(locks, child);
  return child;
}
FF_EXPORT int __clone(int (*function)(void *), void *stack, int flags, void *argument, ...) __attribute__((alias("clone")));
