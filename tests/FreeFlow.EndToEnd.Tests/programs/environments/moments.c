/*
 * moments MOMENT [LIBRARY]: talks over a connection with itself at a moment at which nothing may be loaded into the process, then at one at which it may.
 * -DPLUGIN: a library that talks when it is opened. -DALLOCATOR: one that brings malloc and connects with its lock held, at the first call.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <link.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Takes no memory and no stream, because its caller may be the allocator. The number of messages that came whole. */
static int talk(void) {
  struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
  socklen_t n = sizeof a;
  char there[100], back[100];
  int l = socket(AF_INET, SOCK_STREAM, 0), c = socket(AF_INET, SOCK_STREAM, 0), whole = 0;
  if (l < 0 || c < 0 || bind(l, (void *)&a, n) || listen(l, 1) || getsockname(l, (void *)&a, &n) || connect(c, (void *)&a, n)) return -1;
  int s = accept(l, NULL, NULL);
  for (int i = 0; i < 20; i++) {
    memset(there, i, sizeof there);
    if (send(c, there, sizeof there, 0) == sizeof there && recv(s, back, sizeof back, MSG_WAITALL) == sizeof back && memcmp(there, back, sizeof back) == 0
        && send(s, back, 10, 0) == 10 && recv(c, there, 10, MSG_WAITALL) == 10) whole++;
  }
  close(c);
  int end = (int)recv(s, back, sizeof back, 0);
  close(l);
  close(s);
  return end == 0 ? whole : -2;
}

#if defined(PLUGIN)
int plugin_whole;
extern sem_t plugin_runs, program_has_talked;
__attribute__((constructor)) static void opened(void) {
  if (getenv("WAIT")) { sem_post(&plugin_runs); sem_wait(&program_has_talked); plugin_whole = 1; }
  else plugin_whole = talk();
}

#elif defined(ALLOCATOR)
extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
extern void __libc_free(void *);
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;   /* not to be taken twice */
int allocator_whole, allocator_reports;
static void enter(void) {
  pthread_mutex_lock(&lock);
  if (allocator_reports++ == 0 || (allocator_whole == 20 && allocator_reports == 100)) allocator_whole = talk();
}
void *malloc(size_t n) { enter(); void *m = __libc_malloc(n); pthread_mutex_unlock(&lock); return m; }
void *calloc(size_t n, size_t s) { enter(); void *m = __libc_calloc(n, s); pthread_mutex_unlock(&lock); return m; }
void *realloc(void *o, size_t n) { enter(); void *m = __libc_realloc(o, n); pthread_mutex_unlock(&lock); return m; }
void free(void *m) { pthread_mutex_lock(&lock); __libc_free(m); pthread_mutex_unlock(&lock); }

#else
static int early = -3;
static int is(const char *moment) { extern char **environ; for (char **e = environ; *e; e++) if (strncmp(*e, "MOMENT=", 7) == 0) return strcmp(*e + 7, moment) == 0; return 0; }
__attribute__((constructor)) static void before_main(void) { if (is("before-main")) early = talk(); }

static void at_exit(void) { int whole = talk(); dprintf(1, "at exit: %d\n", whole); }
__attribute__((destructor)) static void destroyed(void) { if (is("destructor")) at_exit(); }

static sigjmp_buf back;
static volatile int in_handler;
static void handle(int signal) { in_handler = talk(); if (signal == SIGSEGV) siglongjmp(back, 1); }

static void fault(int flags) {
  struct sigaction action = { .sa_handler = handle, .sa_flags = flags };
  static char aside[65536];
  stack_t stack = { .ss_sp = aside, .ss_size = sizeof aside };
  if (flags & SA_ONSTACK) sigaltstack(&stack, NULL);
  sigaction(SIGSEGV, &action, NULL);
  char *volatile nowhere = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (sigsetjmp(back, 1) == 0) *nowhere = 1;
  struct sigaction seen;
  sigaction(SIGSEGV, NULL, &seen);
  printf("in the handler of a fault: %d; handler and flags are mine: %d\n", in_handler, seen.sa_handler == handle && (seen.sa_flags & ~0x4000000) == flags);
}

static void interrupt(int number) {
  struct sigaction action = { .sa_handler = handle };
  sigaction(number, &action, NULL);
  raise(number);
  printf("in a handler: %d\n", in_handler);
}

sem_t plugin_runs, program_has_talked;
static void *open_plugin(void *file) {
  void *plugin = dlopen(file, RTLD_NOW);
  if (!plugin) { puts(dlerror()); return NULL; }
  printf("in a constructor: %d\n", *(int *)dlsym(plugin, "plugin_whole"));
  return plugin;
}

static void beside_constructor(char *file) {
  pthread_t thread;
  pthread_create(&thread, NULL, open_plugin, file);
  sem_wait(&plugin_runs);
  printf("beside a constructor: %d\n", talk());
  fflush(stdout);
  sem_post(&program_has_talked);
  pthread_join(thread, NULL);
}

static void *idle(void *unused) { pause(); return unused; }
static void child_of_threads(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, idle, NULL);
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) { dprintf(1, "between fork and exec: %d\n", talk()); execlp("echo", "echo", "executed", NULL); _exit(9); }
  int status;
  waitpid(child, &status, 0);
  printf("child: %d\n", status);
}

static void vfork_child(void) {
  static int whole;
  fflush(stdout);
  pid_t child = vfork();
  if (child == 0) { whole = talk(); _exit(7); }
  int status;
  waitpid(child, &status, 0);
  printf("in a vfork child: %d, status %d\n", whole, status);
}

/* What is locked, and every signal's disposition, before and after. */
static void locked(int flags) {
  char line[256] = "";
  long kib = -1;
  int failed = mlockall(flags), whole = talk();
  FILE *status = fopen("/proc/self/status", "r");
  while (fgets(line, sizeof line, status)) if (sscanf(line, "VmLck: %ld", &kib) == 1) break;
  fclose(status);
  printf("mlockall: %d, talked: %d, less than 32 MiB locked: %d\n", failed, whole, kib < 32768);
}

static void other(int signal) { (void)signal; }
static void dispositions(void) {
  void (*const kinds[])(int) = { SIG_DFL, SIG_IGN, other };
  for (int signal = 1; signal < NSIG; signal++) {
    struct sigaction action = { .sa_handler = kinds[signal % 3] };
    if (signal != SIGCHLD) sigaction(signal, &action, NULL);
  }
  printf("talked: %d\n", talk());
  for (int signal = 1; signal < NSIG; signal++) {
    struct sigaction action = { .sa_handler = SIG_ERR };
    int known = sigaction(signal, NULL, &action);
    printf("%d: %d %s, flags %x\n", signal, known, action.sa_handler == SIG_DFL ? "default" : action.sa_handler == SIG_IGN ? "ignored" : action.sa_handler == other ? "mine" : "?",
      (unsigned)action.sa_flags & ~0x4000000u);
  }
}
static void ended_by_signals(void) {
  for (int number = SIGRTMIN; number <= SIGRTMAX; number++) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) { if (talk() == 20) raise(number); _exit(0); }
    int status;
    waitpid(child, &status, 0);
    printf("%d: ended by %d\n", number, WIFSIGNALED(status) ? WTERMSIG(status) : 0);
  }
}

static int on_library(struct dl_phdr_info *library, size_t size, void *whole) { (void)library; (void)size; *(int *)whole = talk(); return 1; }

int main(int argc, char **argv) {
  const char *moment = argc > 1 ? argv[1] : "";
  int whole = 0;
  if (strcmp(moment, "before-main") == 0) printf("before main: %d\n", early);
  else if (strcmp(moment, "atexit") == 0) atexit(at_exit);
  else if (strcmp(moment, "fault") == 0) fault(0);
  else if (strcmp(moment, "fault-aside") == 0) fault(SA_ONSTACK);
  else if (strcmp(moment, "fault-nodefer") == 0) fault(SA_NODEFER);
  else if (strcmp(moment, "signal") == 0) interrupt(SIGUSR1);
  else if (strcmp(moment, "realtime-signal") == 0) interrupt(SIGRTMIN);
  else if (strcmp(moment, "constructor") == 0) open_plugin(argv[2]);
  else if (strcmp(moment, "beside-constructor") == 0) beside_constructor(argv[2]);
  else if (strcmp(moment, "threads") == 0) child_of_threads();
  else if (strcmp(moment, "locked") == 0) locked(MCL_CURRENT | MCL_FUTURE);
  else if (strcmp(moment, "locked-on-fault") == 0) locked(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
  else if (strcmp(moment, "dispositions") == 0) dispositions();
  else if (strcmp(moment, "ended-by-signals") == 0) ended_by_signals();
  else if (strcmp(moment, "vfork") == 0) vfork_child();
  else if (strcmp(moment, "iterate") == 0) { dl_iterate_phdr(on_library, &whole); printf("among the libraries: %d\n", whole); }
  else if (strcmp(moment, "allocator") == 0) {
    int *found = dlsym(RTLD_DEFAULT, "allocator_whole");
    printf("in the allocator: %d\n", found ? *found : -9);
  }
  if (strcmp(moment, "atexit") == 0 || strcmp(moment, "destructor") == 0) return 0;
  printf("later: %d\n", talk());
  return 0;
}
#endif
