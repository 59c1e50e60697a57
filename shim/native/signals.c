/*
 * Puts a step in front of the application's signal handlers. It takes a note, so that a call that was spinning in user space can
 * return EINTR where the kernel's would have (signal(7)); and it holds a handler up while its thread is inside a critical section of
 * the core, so that a handler may use the socket its thread is busy with, and may leave by siglongjmp, as with the kernel's calls,
 * which no handler can interrupt half-way. Handlers of faults: faults.c.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "freeflow.h"
#include "kernel.h"
#include "signals.h"

#pragma weak getcontext   /* musl has none */

struct ff_handler ff_handlers[NSIG];

/* What waits while ff_thread_state.deferred is set: all other signals are blocked then, so one place is enough. */
static __thread siginfo_t deferred_info;
static __thread sigset_t mask_before_deferral;

ff_sigaction_t ff_real_sigaction(void) {
  static ff_sigaction_t found;
  if (!found) found = (ff_sigaction_t)ff_next_symbol("sigaction");
  return found;
}

static void step(int signal, siginfo_t *info, void *context);

/* The interrupted code goes on with every signal blocked, but for the faults and what libc keeps for itself, and the runtime where it has a signal. */
static void hold_up(int signal, siginfo_t *info, ucontext_t *context) {
  static const int never_blocked[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, 32, 33, 34 };
  size_t count = sizeof never_blocked / sizeof *never_blocked - !ff_runtime_has_signal;
  deferred_info = *info;
  mask_before_deferral = context->uc_sigmask;
  uint64_t blocked = ~0ull, before;
  memcpy(&before, &context->uc_sigmask, sizeof before);
  for (size_t i = 0; i < count; i++) {
    uint64_t bit = 1ull << (never_blocked[i] - 1);
    if (!(before & bit)) blocked &= ~bit;
  }
  memcpy(&context->uc_sigmask, &blocked, sizeof blocked);
  if (signal < SIGRTMIN && ff_handlers[signal].flags & (int)SA_RESETHAND) {
    /* The kernel has taken the handler away already, and the signal will arrive once more. */
    struct sigaction again = { .sa_flags = ff_handlers[signal].flags | SA_SIGINFO, .sa_mask = ff_handlers[signal].mask };
    again.sa_sigaction = step;
    ff_real_sigaction()(signal, &again, NULL);
  }
  ff_thread_state.deferred = (uint32_t)signal;
}

/* Where the innermost handler of this thread began on its stack, NULL if none runs. */
static __thread char *handler_frame;

void ff_call_handler(ff_handler_t handler, int signal, siginfo_t *info, void *context) {
  char *outer = handler_frame;
  uint32_t faults = ff_thread_state.faults;
  handler_frame = __builtin_frame_address(0);
  ff_thread_state.faults = FAULTS_UNKNOWN;   /* the handler runs with a mask of its own */
  handler(signal, info, context);
  handler_frame = outer;
  ff_thread_state.faults = faults;
}

/* A handler may have been left by siglongjmp(3): then the stack ends above it again, or is not the one that was set aside for signals. */
int ff_is_in_signal_handler(void) {
  stack_t aside;
  char *frame = handler_frame;
  if (!frame) return 0;
  /* The kernel has written it. NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult) */
  int was_aside = ff_kernel(SYS_sigaltstack, 0, (long)&aside, 0, 0, 0, 0) == 0 && !(aside.ss_flags & SS_DISABLE)
      && frame >= (char *)aside.ss_sp && frame < (char *)aside.ss_sp + aside.ss_size;
  if ((char *)__builtin_frame_address(0) < frame && (!was_aside || aside.ss_flags & SS_ONSTACK)) return 1;
  handler_frame = NULL;
  return 0;
}

static void run(int signal, siginfo_t *info, void *context) {
  ff_thread_state.signals_handled++;
  if (!(ff_handlers[signal].flags & SA_RESTART)) ff_thread_state.interrupting_signals++;
  ff_call_handler(ff_handlers[signal].handler, signal, info, context);
}

static void step(int signal, siginfo_t *info, void *context) {
  if (ff_thread_state.inside != 0 && ff_thread_state.deferred == 0) hold_up(signal, info, context);
  else run(signal, info, context);
}

/*
 * The critical section has ended, all signals are blocked still. One that can be queued runs here, because others like it may wait
 * behind it; any other is sent to this thread again with all that came with it, and arrives as soon as the mask lets it.
 */
void ff_deliver_deferred(void) {
  int saved = errno, signal = (int)ff_thread_state.deferred;
  sigset_t mask = mask_before_deferral, inside = mask;
  siginfo_t info = deferred_info;
  ff_thread_state.deferred = 0;
  if (signal >= SIGRTMIN && !(ff_handlers[signal].flags & SA_ONSTACK)) {
    ucontext_t context;
    getcontext(&context);
    context.uc_sigmask = mask;
    sigorset(&inside, &mask, &ff_handlers[signal].mask);
    if (!(ff_handlers[signal].flags & (int)SA_NODEFER)) sigaddset(&inside, signal);
    ff_real_sigmask()(SIG_SETMASK, &inside, NULL);
    run(signal, &info, &context);
  } else {
    /* What a sender has made up may not be taken once more, or find the queue full: the signal counts, not what comes with it. */
    if (syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), signal, &info) != 0) syscall(SYS_tgkill, getpid(), gettid(), signal);
  }
  ff_real_sigmask()(SIG_SETMASK, &mask, NULL);
  errno = saved;
}

/* The process whose memory this is: a vfork child has dispositions of its own, but not these notes on them. */
pid_t ff_process_id;

/* After fork: what waited was its parent's, as pending signals are. */
void ff_drop_deferred(void) {
  ff_process_id = getpid();
  if (ff_thread_state.deferred != 0) ff_real_sigmask()(SIG_SETMASK, &mask_before_deferral, NULL);
  ff_thread_state.deferred = 0;
}

/* In front of handlers of faults, which nothing may hold up: takes no other note than that one runs. */
static void fault_step(int signal, siginfo_t *info, void *context) { ff_call_handler(ff_handlers[signal].handler, signal, info, context); }

static int is_step(const struct sigaction *action) { return action->sa_sigaction == step || action->sa_sigaction == fault_step; }

static int is_noted(const struct sigaction *action) { return action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN; }

static ff_handler_t step_for(int signal) {
  switch (signal) {
    case SIGSEGV: case SIGBUS: case SIGFPE: case SIGILL: case SIGTRAP: case SIGSYS: case SIGABRT: return fault_step;
    default: return step;
  }
}

void ff_take_step_away(const struct ff_handler *known, struct sigaction *action) {
  if (is_step(action)) action->sa_sigaction = known->handler;
  if (known->handler && !(known->flags & SA_SIGINFO)) action->sa_flags &= ~SA_SIGINFO;
}

FF_EXPORT int sigaction(int signal, const struct sigaction *action, struct sigaction *old) {
  if (ff_signals_are_the_cores && ff_runtime_action(signal, action, old) == 0) return 0;
  if (signal <= 0 || signal >= NSIG || (ff_process_id != 0 && getpid() != ff_process_id))
    return ff_real_sigaction()(signal, action, old);
  if (ff_is_watched_fault(signal)) return ff_fault_action(signal, action, old);
  struct sigaction noted;
  struct ff_handler before = ff_handlers[signal];
  if (action) ff_handlers[signal].flags = action->sa_flags;
  if (action && is_noted(action)) {
    noted = *action;
    if (!is_step(action)) {
      ff_handlers[signal].handler = action->sa_sigaction;
      ff_handlers[signal].mask = action->sa_mask;
    }
    noted.sa_sigaction = step_for(signal);
    noted.sa_flags |= SA_SIGINFO;   /* without it the kernel leaves info as it finds it, and step passes it on */
    action = &noted;
  }
  int result = ff_real_sigaction()(signal, action, old);
  if (result != 0) ff_handlers[signal] = before;
  else if (old) ff_take_step_away(&before, old);
  return result;
}
FF_EXPORT int __sigaction(int signal, const struct sigaction *action, struct sigaction *old) __attribute__((alias("sigaction")));

/*
 * The kernel's structure has the mask last and is given libc's way of returning from a handler. Pointers are tried on the kernel, with a signal that there is not.
 * Signals that libc keeps for itself are not refused by the kernel.
 */
long ff_sigaction_by_number(long signal, long action, long old, long mask_bytes) {
  struct kernel_action { void (*handler)(int, siginfo_t *, void *); unsigned long flags; void *restorer; uint64_t mask; };
  const struct kernel_action *wanted = (const struct kernel_action *)action;
  struct sigaction theirs = { 0 }, before = { 0 };
  int is_ours = mask_bytes == sizeof wanted->mask && signal > 0 && signal < NSIG && (signal < 32 || signal >= SIGRTMIN);
  if (is_ours && action) {
    int saved = errno;
    is_ours = ff_real_syscall(SYS_rt_sigaction, 0, action, 0, mask_bytes, 0, 0) < 0 && errno == EINVAL;
    errno = saved;
  }
  /* Asked first: it shows whether the answer can be written. */
  if (is_ours && old && ff_real_syscall(SYS_rt_sigaction, signal, 0, old, mask_bytes, 0, 0) != 0) is_ours = 0;
  if (!is_ours) return ff_real_syscall(SYS_rt_sigaction, signal, action, old, mask_bytes, 0, 0);
  if (action) {
    theirs.sa_sigaction = wanted->handler;
    theirs.sa_flags = (int)(wanted->flags & ~0x04000000ul);   /* SA_RESTORER */
    memcpy(&theirs.sa_mask, &wanted->mask, sizeof wanted->mask);
  }
  int result = sigaction((int)signal, action ? &theirs : NULL, old ? &before : NULL);
  if (result == 0 && old) {
    struct kernel_action *answer = (struct kernel_action *)old;
    answer->handler = before.sa_sigaction;
    answer->flags = (answer->flags & 0x04000000ul) | ((unsigned)before.sa_flags & ~0x04000000ul);
    memcpy(&answer->mask, &before.sa_mask, sizeof answer->mask);
  }
  return result;
}

/* libc's signal() and its kin call sigaction from inside. The same here, by way of the one above. */
static sighandler_t install(int signal, sighandler_t handler, int flags) {
  struct sigaction action = { .sa_flags = flags }, old;
  if (handler == SIG_ERR || signal <= 0 || signal >= NSIG) { errno = EINVAL; return SIG_ERR; }
  action.sa_handler = handler;
  if (!(flags & SA_NODEFER)) sigaddset(&action.sa_mask, signal);
  return sigaction(signal, &action, &old) == 0 ? old.sa_handler : SIG_ERR;
}

static int restart_flag(int signal) {
  return signal > 0 && signal < NSIG && ff_handlers[signal].never_restart ? 0 : SA_RESTART;
}

FF_EXPORT sighandler_t signal(int number, sighandler_t handler) { return install(number, handler, restart_flag(number)); }
FF_EXPORT sighandler_t bsd_signal(int number, sighandler_t handler) { return install(number, handler, restart_flag(number)); }
FF_EXPORT sighandler_t ssignal(int number, sighandler_t handler) { return install(number, handler, restart_flag(number)); }
FF_EXPORT sighandler_t sysv_signal(int number, sighandler_t handler) { return install(number, handler, (int)(SA_RESETHAND | SA_NODEFER)); }
FF_EXPORT sighandler_t __sysv_signal(int number, sighandler_t handler) { return install(number, handler, (int)(SA_RESETHAND | SA_NODEFER)); }

/* siginterrupt(3): changes SA_RESTART of the installed handler and of those that signal() will install. */
FF_EXPORT int siginterrupt(int number, int interrupts) {
  struct sigaction action;
  if (sigaction(number, NULL, &action) != 0) return -1;
  ff_handlers[number].never_restart = interrupts != 0;
  action.sa_flags = interrupts ? action.sa_flags & ~SA_RESTART : action.sa_flags | SA_RESTART;
  return sigaction(number, &action, NULL);
}
