/* The application's signal handlers as signals.c and faults.c know them. */
#ifndef FREEFLOW_SIGNALS_H
#define FREEFLOW_SIGNALS_H

#include <signal.h>

typedef int (*ff_sigaction_t)(int, const struct sigaction *, struct sigaction *);
ff_sigaction_t ff_real_sigaction(void);

/* Set when the core is opened. */
extern pid_t ff_process_id;

struct ff_handler {
  void (*handler)(int, siginfo_t *, void *);
  int flags;
  sigset_t mask;
  int never_restart;   /* siginterrupt(3) has said so */
};
extern struct ff_handler ff_handlers[NSIG];

int ff_is_watched_fault(int signal);
int ff_fault_action(int signal, const struct sigaction *action, struct sigaction *old);

#endif
