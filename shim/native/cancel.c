/*
 * Whether this program cancels threads at all: only then do the trampolines of calls that the core may answer without the kernel ask
 * whether their thread is to end (pthreads(7), cancellation points).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>

#include "freeflow.h"

int ff_cancellation;

FF_EXPORT int pthread_cancel(pthread_t thread) {
  __atomic_store_n(&ff_cancellation, 1, __ATOMIC_RELEASE);
  return ((__typeof__(&pthread_cancel))ff_next_symbol("pthread_cancel"))(thread);
}
