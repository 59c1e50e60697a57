/* The application's signal handlers as signals.c and faults.c know them. */
#ifndef FREEFLOW_SIGNALS_H
#define FREEFLOW_SIGNALS_H

#include <signal.h>

typedef int (*ff_sigaction_t)(int, const struct sigaction *, struct sigaction *);
ff_sigaction_t ff_real_sigaction(void);

/* pthread_sigmask(3); our own of that name notes what the program does. */
typedef int (*ff_sigmask_t)(int, const sigset_t *, sigset_t *);
ff_sigmask_t ff_real_sigmask(void);

/* From the beginning of main: the process whose memory this is. */
extern pid_t ff_process_id;

typedef void (*ff_handler_t)(int, siginfo_t *, void *);

struct ff_handler {
  ff_handler_t handler;
  int flags;
  sigset_t mask;
  int never_restart;   /* siginterrupt(3) has said so */
};
extern struct ff_handler ff_handlers[NSIG];

/* Calls a handler of the application's. */
void ff_call_handler(ff_handler_t handler, int signal, siginfo_t *info, void *context);

/* Replaces the step in front of a handler by the handler itself, as the application knows it. */
void ff_take_step_away(const struct ff_handler *known, struct sigaction *action);

/* glue.c: takes a disposition of the runtime's while it starts; -1 if the calling thread is not the one that starts it. */
int ff_runtime_action(int signal, const struct sigaction *action, struct sigaction *old);

/* glue.c: not 0 if the runtime has the signal 34 for itself. */
extern int ff_runtime_has_signal;

int ff_is_watched_fault(int signal);
int ff_fault_action(int signal, const struct sigaction *action, struct sigaction *old);

#endif
