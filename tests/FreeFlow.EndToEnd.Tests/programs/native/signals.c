/* Signal handlers that use the socket their thread is busy with, and that leave by a jump. */
#include "experiment.h"

#include <poll.h>
#include <setjmp.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <time.h>

struct record { unsigned number, check; char fill[56]; };

static int near, far;
static sigjmp_buf back;
static volatile sig_atomic_t handled, failed, jump_now;
static char buffer[4096];

/* A thread that the timer's signal never reaches. */
static pthread_t undisturbed(void *(*body)(void *), void *argument) {
  sigset_t alarms, before;
  pthread_t thread;
  sigemptyset(&alarms);
  sigaddset(&alarms, SIGALRM);
  pthread_sigmask(SIG_BLOCK, &alarms, &before);
  pthread_create(&thread, NULL, body, argument);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return thread;
}

static void every(long microseconds, void (*handler)(int), int flags) {
  struct sigaction action = { .sa_flags = flags };
  struct itimerval timer = { { 0, microseconds }, { 0, microseconds } };
  action.sa_handler = handler;
  sigaction(SIGALRM, &action, NULL);
  setitimer(ITIMER_REAL, &timer, NULL);
}

static void stop(void) {
  struct itimerval timer = { 0 };
  setitimer(ITIMER_REAL, &timer, NULL);
}

static struct record record_of(unsigned number) {
  struct record record = { number, ~number, { 0 } };
  memset(record.fill, (int)(number & 0xff), sizeof record.fill);
  return record;
}

static int is_whole(const struct record *record) {
  if (record->check != ~record->number) return 0;
  for (size_t i = 0; i < sizeof record->fill; i++) if ((unsigned char)record->fill[i] != (record->number & 0xff)) return 0;
  return 1;
}

/* A send that had to sleep for room could be left half done by a handler, with the kernel too. */
static void wait_until_read(int fd) {
  for (int unread = 1; unread > 0;) if (ioctl(fd, FIONREAD, &unread) != 0) abort();
}

static void send_from_handler(int signal) {
  (void)signal;
  struct record record = record_of(0x80000000u + (unsigned)handled);
  if (send(near, &record, sizeof record, 0) == sizeof record) handled++;
  else failed++;
}

struct tally { long own, handlers, broken, order; };

static void *count_records(void *into) {
  struct tally *tally = into;
  struct record record;
  unsigned next = 0, next_handlers = 0x80000000u;
  while (recv(far, &record, sizeof record, MSG_WAITALL) == sizeof record) {
    if (!is_whole(&record)) { tally->broken++; continue; }
    if (record.number & 0x80000000u) { tally->handlers++; tally->order += record.number != next_handlers++; }
    else { tally->own++; tally->order += record.number < next; next = record.number + 1; }
  }
  return NULL;
}

/* A handler may send on the socket that its thread is sending on: each message stays whole. */
static void handler_sends_too(int client, int server) {
  struct tally tally = { 0 };
  near = client;
  far = server;
  pthread_t reader = undisturbed(count_records, &tally);
  every(500, send_from_handler, SA_RESTART);
  unsigned sent = 0;
  while (sent < 200000 || handled < 20) {
    struct record record = record_of(sent++);
    if (send(client, &record, sizeof record, 0) != sizeof record) abort();
    if (sent % 200 == 0) wait_until_read(server);
  }
  stop();
  shutdown(client, SHUT_WR);
  pthread_join(reader, NULL);
  printf("own: %s, broken %ld, out of order %ld\n", tally.own == sent ? "all" : "some lost", tally.broken, tally.order);
  printf("handler's: %s, failed %d\n", tally.handlers == handled ? "all" : "some lost", (int)failed);
}

static void read_from_handler(int signal) {
  (void)signal;
  char one;
  if (recv(near, &one, 1, MSG_DONTWAIT) == 1) handled++;
}

static void *send_letters(void *unused) {
  static char block[1000];
  for (int i = 0; i < 100000; i++) if (send(far, block, sizeof block, 0) != sizeof block) abort();
  shutdown(far, SHUT_WR);
  return unused;
}

/* Each byte goes either to the thread or to its handler. */
static void handler_receives_too(int client, int server) {
  long count = 0;
  ssize_t step;
  near = client;
  far = server;
  pthread_t writer = undisturbed(send_letters, NULL);
  every(300, read_from_handler, SA_RESTART);
  while ((step = recv(client, buffer, 777, 0)) > 0) count += step;
  stop();
  pthread_join(writer, NULL);
  printf("end: %zd, bytes: %ld\n", step, count + handled);
}

static void jump(int signal) {
  (void)signal;
  if (jump_now) siglongjmp(back, 1);
}

/* A jump out of a sleeping recv leaves the socket as it was. */
static void jump_out_of_recv(int client, int server) {
  jump_now = 1;
  volatile int jumps = 0;
  for (volatile int i = 0; i < 50; i++) {
    every(2000, jump, 0);
    if (sigsetjmp(back, 1) == 0) { recv(server, buffer, sizeof buffer, 0); printf("recv returned\n"); }
    else jumps++;
    stop();
  }
  jump_now = 0;
  printf("jumps: %d\n", jumps);
  report("send", send(client, "hello", 5, 0));
  report("recv", recv(server, buffer, sizeof buffer, 0));
  report("close", close(server));
  report("end", recv(client, buffer, sizeof buffer, 0));
}

static void *answer_a_little_later(void *unused) {
  settle();
  if (send(far, "x", 1, 0) != 1) abort();
  usleep(1500000);
  if (send(far, "y", 1, 0) != 1) abort();
  return unused;
}

/* Likewise out of poll. Who sleeps afterwards sleeps: it is not woken all the time. */
static void jump_out_of_poll(int client, int server) {
  struct pollfd wait[2] = { { server, POLLIN, 0 }, { client, POLLIN, 0 } };
  struct timespec busy;
  jump_now = 1;
  volatile int jumps = 0;
  for (volatile int i = 0; i < 5; i++) {
    every(2000, jump, 0);
    if (sigsetjmp(back, 1) == 0) report("poll", poll(wait, 2, -1));
    else jumps++;
    stop();
  }
  jump_now = 0;
  printf("jumps: %d\n", jumps);
  far = client;
  pthread_t writer = undisturbed(answer_a_little_later, NULL);
  report("first", recv(server, buffer, sizeof buffer, 0));
  report("second", recv(server, buffer, sizeof buffer, 0));
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &busy);
  pthread_join(writer, NULL);
  printf("%s\n", busy.tv_sec == 0 && busy.tv_nsec < 700000000 ? "slept" : "was woken all the time");
}

/* Jumps at any moment out of a sender that never sleeps: what arrives is whole records in order, and the socket works. */
static void jump_out_of_sends(int client, int server) {
  struct tally tally = { 0 };
  near = client;
  far = server;
  pthread_t reader = undisturbed(count_records, &tally);
  volatile unsigned next = 0;
  volatile int jumps = 0;
  every(300, jump, 0);
  if (sigsetjmp(back, 1) != 0) jumps++;
  jump_now = 1;
  while (next < 100000 || jumps < 20) {
    struct record record = record_of(next++);
    if (send(client, &record, sizeof record, 0) != sizeof record) abort();
    if (next % 500 != 0) continue;
    jump_now = 0;
    wait_until_read(server);
    jump_now = 1;
  }
  jump_now = 0;
  stop();
  shutdown(client, SHUT_WR);
  pthread_join(reader, NULL);
  printf("broken %ld, out of order %ld, %s\n", tally.broken, tally.order, tally.own + jumps >= next ? "all arrived" : "some lost");
}

static int values[2000];
static void note_value(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)context;
  if (handled < 2000) values[handled] = info->si_value.sival_int;
  handled++;
}

static void *signal_main(void *thread) {
  for (int i = 0; i < 2000; i++) {
    while (pthread_sigqueue(*(pthread_t *)thread, SIGRTMIN + 2, (union sigval){ .sival_int = i }) != 0) usleep(10);
    if (i % 10 == 0) usleep(50);
  }
  return NULL;
}

/* Queued signals arrive each once, with their values and in order, however busy their thread is. */
static void queued_signals(int client, int server) {
  struct sigaction action = { .sa_flags = SA_SIGINFO | SA_RESTART };
  pthread_t self = pthread_self(), sender;
  action.sa_sigaction = note_value;
  sigaction(SIGRTMIN + 2, &action, NULL);
  pthread_create(&sender, NULL, signal_main, &self);
  while (handled < 2000) if (send(client, buffer, 100, 0) != 100 || recv(server, buffer, 100, MSG_WAITALL) != 100) abort();
  pthread_join(sender, NULL);
  int wrong = 0;
  for (int i = 0; i < 2000; i++) wrong += values[i] != i;
  printf("handled %d, wrong %d\n", (int)handled, wrong);
}

static void count(int signal) { (void)signal; handled++; }

static void signal_self_later(int after) {
  struct itimerval timer = { { 0, 0 }, { 0, after } };
  setitimer(ITIMER_REAL, &timer, NULL);
}

/* What the kernel leaves untouched in a handler's frame (siginfo_t without SA_SIGINFO) is what lay there before. */
static __attribute__((noinline)) void leave_rubbish_on_the_stack(void) {
  volatile char rubbish[65536];
  for (size_t i = 0; i < sizeof rubbish; i++) rubbish[i] = 0x7f;
}

/* A signal that comes once, while its thread sends and receives without a pause: none may be missing. The handler takes no siginfo. */
static void single_signals(int client, int server) {
  struct sigaction action = { .sa_handler = count, .sa_flags = SA_RESTART };
  int missing = 0;
  sigaction(SIGALRM, &action, NULL);
  for (int i = 0; i < 2000; i++) {
    int before = handled;
    struct timespec start, now;
    leave_rubbish_on_the_stack();
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (signal_self_later(100 + i % 97); handled == before;) {
      if (send(client, buffer, 100, 0) != 100 || recv(server, buffer, 100, MSG_WAITALL) != 100) abort();
      clock_gettime(CLOCK_MONOTONIC, &now);
      if (now.tv_sec - start.tv_sec > 2) { missing++; break; }
    }
  }
  printf("missing %d\n", missing);
}

extern int interrupts(int, int) __asm__("siginterrupt");   /* deprecated in the header, in use all the same */

/* signal(2), siginterrupt(3), sysv_signal: which receive is taken up again. */
static void interrupting(int client, int server) {
  signal(SIGALRM, count);
  interrupts(SIGALRM, 1);
  signal_self_later(50000);
  report("siginterrupt", recv(server, buffer, sizeof buffer, 0));
  signal(SIGALRM, count);
  signal_self_later(50000);
  report("signal after siginterrupt", recv(server, buffer, sizeof buffer, 0));
  sysv_signal(SIGALRM, count);
  signal_self_later(50000);
  report("sysv_signal", recv(server, buffer, sizeof buffer, 0));
  struct sigaction action;
  sigaction(SIGALRM, NULL, &action);
  printf("%s\n", action.sa_handler == SIG_DFL ? "default again" : "still there");
  interrupts(SIGALRM, 0);
  signal(SIGALRM, count);
  signal_self_later(50000);
  send(client, "x", 1, 0);
  report("restarted", recv(server, buffer, sizeof buffer, 0));
  printf("handled %d\n", (int)handled);
}

/* sigaction shows what was installed. */
static void shown_handlers(int client, int server) {
  (void)client;
  (void)server;
  static const int signals[] = { SIGUSR1, SIGSEGV, SIGBUS, SIGPIPE };
  for (int i = 0; i < 4; i++) {
    struct sigaction action = { .sa_flags = SA_RESETHAND | SA_ONSTACK }, seen;
    report("before", sigaction(signals[i], NULL, &seen));
    printf("%d %x\n", seen.sa_handler == SIG_DFL, (unsigned)seen.sa_flags & ~0x04000000u);
    action.sa_handler = count;
    sigaddset(&action.sa_mask, SIGUSR2);
    report("install", sigaction(signals[i], &action, &seen));
    sigaction(signals[i], NULL, &seen);
    printf("%d %x %d\n", seen.sa_handler == count, (unsigned)seen.sa_flags & ~0x04000000u, sigismember(&seen.sa_mask, SIGUSR2));
    raise(signals[i]);
    sigaction(signals[i], NULL, &seen);
    printf("handled %d, default again %d %x\n", (int)handled, seen.sa_handler == SIG_DFL, (unsigned)seen.sa_flags & ~0x04000000u);
  }
}

const struct experiment signal_experiments[] = {
  { "handler_sends_too", handler_sends_too }, { "handler_receives_too", handler_receives_too }, { "jump_out_of_recv", jump_out_of_recv }, { "jump_out_of_poll", jump_out_of_poll },
  { "jump_out_of_sends", jump_out_of_sends }, { "queued_signals", queued_signals }, { "single_signals", single_signals }, { "interrupting", interrupting },
  { "shown_handlers", shown_handlers }, { NULL, NULL },
};
