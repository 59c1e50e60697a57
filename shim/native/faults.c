/*
 * SIGSEGV and SIGBUS inside ff_copy mean a bad pointer of the application's: the copy ends and its caller answers EFAULT, as the
 * kernel's calls do. Every other fault belongs to the application. From the moment the core is open a handler of ours stands
 * before the application's for these two signals; sigaction(2) goes on showing the application its own.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "freeflow.h"
#include "signals.h"
#include "verbs.h"

static struct sigaction wanted[2];   /* the application's, for SIGSEGV and SIGBUS */
static int watching;

static struct sigaction *wanted_for(int signal) { return &wanted[signal == SIGBUS]; }

int ff_is_watched_fault(int signal) { return watching && (signal == SIGSEGV || signal == SIGBUS); }

static void on_fault(int signal, siginfo_t *info, void *context) {
  greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
  struct sigaction theirs = *wanted_for(signal);
  uintptr_t at = (uintptr_t)registers[REG_RIP];
  if (info->si_code > 0 && at >= (uintptr_t)ff_copy && at < (uintptr_t)ff_copy_fault) {
    registers[REG_RIP] = (greg_t)ff_copy_fault;
    return;
  }
  if (info->si_code > 0 && ff_verbs_waits(info->si_addr)) return;
  if (theirs.sa_handler != SIG_DFL && theirs.sa_handler != SIG_IGN) {
    if (theirs.sa_flags & (int)SA_RESETHAND) wanted_for(signal)->sa_handler = SIG_DFL;
    ff_call_handler(theirs.sa_sigaction, signal, info, context);
    return;
  }
  /* Sent by a process and ignored. A fault that is ignored ends the process all the same (sigaction(2)). */
  if (info->si_code <= 0 && theirs.sa_handler == SIG_IGN) return;
  struct sigaction standard = { .sa_handler = SIG_DFL };
  ff_real_sigaction()(signal, &standard, NULL);
  /* A fault happens again when this returns; what was sent is sent again. */
  if (info->si_code <= 0) syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), signal, info);
}

/* Ours in the kernel, with the application's mask and flags, so that its handler runs as it asked. */
static int install(int signal, const struct sigaction *theirs) {
  struct sigaction ours = *theirs;
  if (theirs->sa_handler == SIG_DFL || theirs->sa_handler == SIG_IGN) { ours.sa_flags = SA_ONSTACK; sigemptyset(&ours.sa_mask); }
  ours.sa_sigaction = on_fault;
  ours.sa_flags = (ours.sa_flags & ~(int)SA_RESETHAND) | SA_SIGINFO;
  return ff_real_sigaction()(signal, &ours, NULL);
}

int ff_fault_action(int signal, const struct sigaction *action, struct sigaction *old) {
  struct sigaction before = *wanted_for(signal);
  if (action) {
    struct sigaction theirs = *action;
    if (install(signal, &theirs) != 0) return -1;
    *wanted_for(signal) = theirs;
  }
  if (old) *old = before;
  return 0;
}

/*
 * The signals of a fault, let through for a copy's while; what the thread blocks is its own again afterwards. A thread that blocks them pays two system calls
 * a copy, and lives, as it does with the kernel's calls.
 */
static int let_faults_through(sigset_t *before) {
  sigset_t faults;
  sigemptyset(&faults);
  sigaddset(&faults, SIGSEGV);
  sigaddset(&faults, SIGBUS);
  ff_real_sigmask()(SIG_UNBLOCK, &faults, before);
  ff_thread_state.faults = FAULTS_ARRIVE;
  return sigismember(before, SIGSEGV) || sigismember(before, SIGBUS);
}

static void block_again(const sigset_t *before) {
  ff_real_sigmask()(SIG_SETMASK, before, NULL);
  ff_thread_state.faults = FAULTS_BLOCKED;
}

int ff_copy_guarded(void *target, const void *source, size_t bytes) {
  sigset_t before;
  int blocked = let_faults_through(&before), result = ff_copy(target, source, bytes);
  if (blocked) block_again(&before);
  return result;
}

int ff_copy_returned_guarded(void *target, const void *source, size_t count) {
  sigset_t before;
  int blocked = let_faults_through(&before), result = ff_copy_returned(target, source, count);
  if (blocked) block_again(&before);
  return result;
}

/* ---- Whoever changes a thread's mask says what becomes of the signals of a fault. What libc does by itself (siglongjmp) makes a copy ask at worst. */

ff_sigmask_t ff_real_sigmask(void) {
  static ff_sigmask_t found;
  if (!found) found = (ff_sigmask_t)ff_next_symbol("pthread_sigmask");
  return found;
}

static void note_mask(int how, const sigset_t *set) {
  if (how == SIG_SETMASK || sigismember(set, SIGSEGV) || sigismember(set, SIGBUS)) ff_thread_state.faults = FAULTS_UNKNOWN;
}

FF_EXPORT int pthread_sigmask(int how, const sigset_t *set, sigset_t *old) {
  int result = ff_real_sigmask()(how, set, old);
  if (set && result == 0) note_mask(how, set);
  return result;
}

FF_EXPORT int sigprocmask(int how, const sigset_t *set, sigset_t *old) {
  static ff_sigmask_t real;
  if (!real) real = (ff_sigmask_t)ff_next_symbol("sigprocmask");
  int result = real(how, set, old);
  if (set && result == 0) note_mask(how, set);
  return result;
}

void ff_watch_faults(void) {
  static const int faults[] = { SIGSEGV, SIGBUS };
  for (int i = 0; i < 2; i++) {
    if (ff_real_sigaction()(faults[i], NULL, wanted_for(faults[i])) != 0) continue;
    ff_take_step_away(&ff_handlers[faults[i]], wanted_for(faults[i]));
    install(faults[i], wanted_for(faults[i]));
  }
  watching = 1;
}
