/*
 * The sleeping system calls of the core. Signals are held back from the last look at the thread's count to the kernel's own atomic
 * change of the mask, so that a handler that ran while the thread was spinning interrupts the call as it would have interrupted the
 * kernel's (signal(7)). In C because they are cancellation points (pthreads(7)): a cancelled thread leaves from here, and what it
 * had announced is taken back on the way.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <time.h>

#include "freeflow.h"
#include "signals.h"

/* What pthread_cleanup_push is made of in glibc. musl has none of it, and loads this library all the same, to do nothing. */
#pragma weak __pthread_register_cancel
#pragma weak __pthread_unregister_cancel
#pragma weak __pthread_unwind_next
#pragma weak __sigsetjmp

static struct {
  int (*ppoll)(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *);
  int (*epoll_pwait)(int, struct epoll_event *, int, int, const sigset_t *);
  int (*epoll_pwait2)(int, struct epoll_event *, int, const struct timespec *, const sigset_t *);
} libc;

/* Before the core is open. */
void ff_find_sleeping_calls(void) {
  *(void **)&libc.ppoll = ff_next_symbol("ppoll");
  *(void **)&libc.epoll_pwait = ff_next_symbol("epoll_pwait");
  *(void **)&libc.epoll_pwait2 = ff_next_symbol("epoll_pwait2");
}

static void leave(void *mask) {
  int *counter = ff_thread_state.sleeping;
  ff_thread_state.sleeping = NULL;
  if (counter) {
    __atomic_sub_fetch(counter, 1, __ATOMIC_SEQ_CST);
    __atomic_sub_fetch(ff_thread_state.sleeping_here, 1, __ATOMIC_SEQ_CST);
  }
  ff_real_sigmask()(SIG_SETMASK, mask, NULL);
}

static int kernel_sleep(const struct ff_sleep *what, const sigset_t *mask) {
  if (what->epoll < 0) return libc.ppoll(what->events, what->count, what->timeout, mask);
  if (what->milliseconds != -2) return libc.epoll_pwait(what->epoll, what->events, (int)what->count, what->milliseconds, mask);
  return libc.epoll_pwait2(what->epoll, what->events, (int)what->count, what->timeout, mask);
}

/* The kernel's answer, or a negative errno. */
int ff_sleep(struct ff_sleep *what) {
  sigset_t all, old;
  volatile int result = -EINTR;   /* outlives the setjmp of pthread_cleanup_push */
  sigfillset(&all);
  ff_real_sigmask()(SIG_BLOCK, &all, &old);
  pthread_cleanup_push(leave, &old);
  if (__atomic_load_n(&ff_thread_state.signals_handled, __ATOMIC_RELAXED) == what->signals_seen) {
    result = kernel_sleep(what, what->mask ? (const sigset_t *)what->mask : &old);
    if (result < 0) result = -errno;
  }
  pthread_cleanup_pop(0);
  ff_real_sigmask()(SIG_SETMASK, &old, NULL);
  return result;
}
