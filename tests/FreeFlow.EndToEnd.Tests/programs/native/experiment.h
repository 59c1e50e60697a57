/* Experiments that need C: threads, signal handlers, bad pointers. As experiments/ in Python: what is printed must not depend on what carries the bytes. */
#ifndef EXPERIMENT_H
#define EXPERIMENT_H

#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct experiment { const char *name; void (*run)(int client, int server); };
extern const struct experiment thread_experiments[], signal_experiments[], pointer_experiments[],
  call_experiments[], copying_experiments[], road_experiments[], end_experiments[], set_experiments[], wait_experiments[], number_experiments[],
  report_experiments[], limit_experiments[], buffer_experiments[], uring_experiments[], uring_kind_experiments[];

/* A TCP connection with itself, over which some messages have gone both ways. */
void connection(int *client, int *server);

/* "what: value" or "what: ERRNO". */
long report(const char *what, long result);

/* Longer than any wake-up on one machine takes. */
static inline void settle(void) { usleep(100000); }

/* Receives exactly count bytes; how many came before the end or an error. */
size_t receive_all(int fd, void *buffer, size_t count);

#endif
