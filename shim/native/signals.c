/*
 * Puts a note-taking step in front of the application's signal handlers, so that a call that was spinning in user space can return
 * EINTR where the kernel's would have (signal(7)). Handlers of synchronous faults are left alone.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <string.h>

#include "freeflow.h"

typedef int (*sigaction_t)(int, const struct sigaction *, struct sigaction *);
typedef sighandler_t (*signal_t)(int, sighandler_t);

static struct { void (*handler)(int, siginfo_t *, void *); int flags; } application[NSIG];

static sigaction_t real_sigaction(void) {
  static sigaction_t found;
  if (!found) found = (sigaction_t)dlsym(RTLD_NEXT, "sigaction");
  return found;
}

static void note(int signal, siginfo_t *info, void *context) {
  ff_thread_state.signals_handled++;
  if (!(application[signal].flags & SA_RESTART)) ff_thread_state.interrupting_signals++;
  application[signal].handler(signal, info, context);
}

static int is_noted(int signal, const struct sigaction *action) {
  if (signal <= 0 || signal >= NSIG || action->sa_handler == SIG_DFL || action->sa_handler == SIG_IGN) return 0;
  return signal != SIGSEGV && signal != SIGBUS && signal != SIGFPE && signal != SIGILL && signal != SIGTRAP && signal != SIGSYS && signal != SIGABRT;
}

FF_EXPORT int sigaction(int signal, const struct sigaction *action, struct sigaction *old) {
  if (ff_signals_are_the_cores || signal <= 0 || signal >= NSIG) return real_sigaction()(signal, action, old);
  struct sigaction noted;
  __typeof__(application[0]) before = application[signal];
  if (action && is_noted(signal, action)) {
    noted = *action;
    if (action->sa_sigaction != note) {
      application[signal].handler = action->sa_sigaction;
      application[signal].flags = action->sa_flags;
    }
    noted.sa_sigaction = note;
    action = &noted;
  }
  int result = real_sigaction()(signal, action, old);
  if (result != 0) application[signal] = before;
  else if (old && old->sa_sigaction == note) old->sa_sigaction = before.handler;
  return result;
}
FF_EXPORT int __sigaction(int signal, const struct sigaction *action, struct sigaction *old) __attribute__((alias("sigaction")));

/* libc's signal() and its kin call sigaction from inside: let them, then put the note in front. */
static sighandler_t note_after(const char *name, int signal, sighandler_t handler) {
  struct sigaction before, now;
  int known = sigaction(signal, NULL, &before) == 0;
  sighandler_t result = ((signal_t)dlsym(RTLD_NEXT, name))(signal, handler);
  if (result == SIG_ERR) return result;
  if (real_sigaction()(signal, NULL, &now) == 0 && is_noted(signal, &now) && now.sa_sigaction != note) sigaction(signal, &now, NULL);
  return known && (void *)result == (void *)note ? before.sa_handler : result;
}

FF_EXPORT sighandler_t signal(int number, sighandler_t handler) { return note_after("signal", number, handler); }
FF_EXPORT sighandler_t bsd_signal(int number, sighandler_t handler) { return note_after("bsd_signal", number, handler); }
FF_EXPORT sighandler_t ssignal(int number, sighandler_t handler) { return note_after("ssignal", number, handler); }
FF_EXPORT sighandler_t sysv_signal(int number, sighandler_t handler) { return note_after("sysv_signal", number, handler); }
FF_EXPORT sighandler_t __sysv_signal(int number, sighandler_t handler) { return note_after("__sysv_signal", number, handler); }
