/* early.c: the calls before the core is open. Generated: what stands in the table of the core's calls until then. */
#ifndef FREEFLOW_EARLY_H
#define FREEFLOW_EARLY_H

/* Opens the core now and hands over to it what is noted; false if it cannot be opened, or not at this moment. */
int ff_early_open(void);

/* As ff_early_open, before something that cannot be counted; if it cannot be opened, all that is noted is the kernel's for good. */
int ff_early_open_or_forget(void);

void ff_early_forget_all(void);
void ff_early_hand_over(void);
void ff_early_before_fork(void);
void ff_early_unseen_fork(void);
void ff_early_before_spawn(void);
void ff_early_given_away(int fd);
void ff_early_ring_made(void);

/* safe.c: whether there is, or has been, a second thread; the first asks /proc where libc does not know. */
int ff_has_threads(void);
int ff_may_have_threads(void);

/* glue.c */
int ff_is_opening(void);
int ff_make_descriptor_flags(void);

/* mlockall(2) with MCL_FUTURE has been called. */
extern int ff_locks_future;

#include "early_calls.h"

#endif
