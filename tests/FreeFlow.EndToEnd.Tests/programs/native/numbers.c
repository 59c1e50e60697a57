/* Calls made by syscall(2), and calls that are found while the program runs, among calls made by name: all see the same connection. */
#include "experiment.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

static unsigned state;
static unsigned any(unsigned below) { return (state = state * 1103515245u + 12345u) >> 16 & 0x7fff ? (state >> 8) % below : 0; }

enum { BY_NAME, BY_NUMBER, BY_LOOKUP };

/* Where foreign function interfaces find a member of libc. */
static void *find(const char *name) {
  static void *libc, *other, *program;
  if (!libc) {
    libc = dlopen("libc.so.6", RTLD_NOW);
    other = dlopen("libm.so.6", RTLD_NOW | RTLD_LOCAL);   /* libc is looked through for it, too */
    program = dlopen(NULL, RTLD_NOW);
  }
  void *found = NULL;
  switch (any(5)) {
    case 0: found = dlsym(libc, name); break;
    case 1: found = dlvsym(libc, name, "GLIBC_2.2.5"); break;
    case 2: found = dlsym(other, name); break;
    case 3: found = dlsym(program, name); break;
    case 4: found = dlsym(any(2) ? RTLD_DEFAULT : RTLD_NEXT, name); break;
  }
  return found ? found : dlsym(libc, name);
}

/* The function of that name, linked or looked up. */
#define CALL(name) (how == BY_LOOKUP ? (__typeof__(&name))find(#name) : &name)

static const uint64_t all_signals = ~0ull;

/* Whether there is something to read (bit 0) and room to write (bit 1), asked in one of seven ways. */
static int readiness(unsigned way, int how, int set, int fd) {
  struct timespec none = { 0, 0 };
  struct timeval nothing = { 0, 0 };
  struct pollfd one = { fd, POLLIN | POLLOUT, 0 };
  struct epoll_event event = { 0, { 0 } };
  struct { const void *mask; size_t bytes; } mask = { &all_signals, 8 };
  const sigset_t *named = (const sigset_t *)&all_signals;
  fd_set readable, writable;
  sigset_t wide;
  int is_poll = 0, is_epoll = 0;
  sigfillset(&wide);
  FD_ZERO(&readable); FD_SET(fd, &readable);
  FD_ZERO(&writable); FD_SET(fd, &writable);
  (void)named;
  switch (way) {
    case 0: is_poll = 1; if (how == BY_NUMBER) syscall(SYS_poll, &one, 1L, 0L); else CALL(poll)(&one, 1, 0); break;
    case 1: is_poll = 1; if (how == BY_NUMBER) syscall(SYS_ppoll, &one, 1L, &none, &all_signals, 8L); else CALL(ppoll)(&one, 1, &none, &wide); break;
    case 2: if (how == BY_NUMBER) syscall(SYS_select, (long)fd + 1, &readable, &writable, NULL, &nothing); else CALL(select)(fd + 1, &readable, &writable, NULL, &nothing); break;
    case 3: if (how == BY_NUMBER) syscall(SYS_pselect6, (long)fd + 1, &readable, &writable, NULL, &none, &mask); else CALL(pselect)(fd + 1, &readable, &writable, NULL, &none, &wide); break;
    case 4: is_epoll = 1; if (how == BY_NUMBER) syscall(SYS_epoll_wait, set, &event, 1L, 0L); else CALL(epoll_wait)(set, &event, 1, 0); break;
    case 5: is_epoll = 1; if (how == BY_NUMBER) syscall(SYS_epoll_pwait, set, &event, 1L, 0L, &all_signals, 8L); else CALL(epoll_pwait)(set, &event, 1, 0, &wide); break;
    case 6: is_epoll = 1; if (how == BY_NUMBER) syscall(SYS_epoll_pwait2, set, &event, 1L, &none, &all_signals, 8L); else CALL(epoll_pwait2)(set, &event, 1, &none, &wide); break;
  }
  if (is_poll) return (one.revents & POLLIN ? 1 : 0) | (one.revents & POLLOUT ? 2 : 0);
  if (is_epoll) return (event.events & EPOLLIN ? 1 : 0) | (event.events & EPOLLOUT ? 2 : 0);
  return (FD_ISSET(fd, &readable) ? 1 : 0) | (FD_ISSET(fd, &writable) ? 2 : 0);
}

static long transfer_out(unsigned way, int how, int fd, char *text, size_t length) {
  struct iovec vectors[2] = { { text, length / 2 }, { text + length / 2, length - length / 2 } };
  struct msghdr message = { .msg_iov = vectors, .msg_iovlen = 2 };
  struct mmsghdr messages = { .msg_hdr = message };
  switch (way) {
    case 0: return how == BY_NUMBER ? syscall(SYS_write, fd, text, length) : CALL(write)(fd, text, length);
    case 1: return how == BY_NUMBER ? syscall(SYS_sendto, fd, text, length, 0L, NULL, 0L) : CALL(send)(fd, text, length, 0);
    case 2: return how == BY_NUMBER ? syscall(SYS_writev, fd, vectors, 2L) : CALL(writev)(fd, vectors, 2);
    case 3: return how == BY_NUMBER ? syscall(SYS_sendmsg, fd, &message, 0L) : CALL(sendmsg)(fd, &message, 0);
    case 4: return how == BY_NUMBER ? syscall(SYS_sendmmsg, fd, &messages, 1L, 0L) : CALL(sendmmsg)(fd, &messages, 1, 0);
    default: return how == BY_NUMBER ? syscall(SYS_pwritev2, fd, vectors, 2L, -1L, -1L, 0L) : CALL(pwritev2)(fd, vectors, 2, -1, 0);
  }
}

static long transfer_in(unsigned way, int how, int fd, char *text, size_t length) {
  struct iovec vectors[2] = { { text, length / 2 }, { text + length / 2, length - length / 2 } };
  struct msghdr message = { .msg_iov = vectors, .msg_iovlen = 2 };
  struct mmsghdr messages = { .msg_hdr = message };
  switch (way) {
    case 0: return how == BY_NUMBER ? syscall(SYS_read, fd, text, length) : CALL(read)(fd, text, length);
    case 1: return how == BY_NUMBER ? syscall(SYS_recvfrom, fd, text, length, (long)MSG_DONTWAIT, NULL, NULL) : CALL(recv)(fd, text, length, MSG_DONTWAIT);
    case 2: return how == BY_NUMBER ? syscall(SYS_readv, fd, vectors, 2L) : CALL(readv)(fd, vectors, 2);
    case 3: return how == BY_NUMBER ? syscall(SYS_recvmsg, fd, &message, 0L) : CALL(recvmsg)(fd, &message, 0);
    case 4: return how == BY_NUMBER ? syscall(SYS_recvmmsg, fd, &messages, 1L, 0L, NULL) : CALL(recvmmsg)(fd, &messages, 1, 0, NULL);
    default: return how == BY_NUMBER ? syscall(SYS_preadv2, fd, vectors, 2L, -1L, -1L, 0L) : CALL(preadv2)(fd, vectors, 2, -1, 0);
  }
}

/* The number of a copy, which closes what had it before. */
static int copy(unsigned way, int how, int fd, int number) {
  switch (way) {
    case 0: return (int)(how == BY_NUMBER ? syscall(SYS_dup2, fd, number) : CALL(dup2)(fd, number));
    case 1: return (int)(how == BY_NUMBER ? syscall(SYS_dup3, fd, number, O_CLOEXEC) : CALL(dup3)(fd, number, O_CLOEXEC));
    case 2: if (how == BY_NUMBER) syscall(SYS_close, number); else CALL(close)(number); return (int)(how == BY_NUMBER ? syscall(SYS_fcntl, fd, F_DUPFD, number) : CALL(fcntl)(fd, F_DUPFD, number));
    default: if (how == BY_NUMBER) syscall(SYS_close_range, number, number, 0L); else CALL(close_range)((unsigned)number, (unsigned)number, 0); return dup2(fd, number);
  }
}

/* Random calls, each by name, by number or by look-up. What is printed must not depend on that, and does not say which it was. */
static void walk(int client, int server, unsigned seed) {
  char text[64], came[64];
  int set = epoll_create1(0), number = 200, waiting = 0;
  struct epoll_event wanted = { EPOLLIN | EPOLLOUT, { 0 } };
  state = seed;
  fcntl(server, F_SETFL, O_NONBLOCK);
  if (any(2)) syscall(SYS_epoll_ctl, set, EPOLL_CTL_ADD, server, &wanted); else epoll_ctl(set, EPOLL_CTL_ADD, server, &wanted);
  dup2(server, number);
  for (unsigned step = 0; step < 400; step++) {
    int how = (int)any(2), readable = 0;
    unsigned what = any(8), length = 2 + any(60), way = any(7);
    memset(text, (int)('a' + step % 26), sizeof text);
    switch (what) {
      case 0: case 1: case 2:
        report("out", transfer_out(way % 6, how, client, text, length));
        for (int wait = 0; wait < 2000 && (ioctl(server, FIONREAD, &readable), readable < waiting + (int)length); wait++) usleep(1000);
        waiting += (int)length;
        break;
      case 3: case 4: {
        memset(came, 0, sizeof came);
        int result = (int)transfer_in(way % 6, how, any(2) ? server : number, came, length);
        int bytes = way % 6 == 4 ? (result == 1 ? (int)strnlen(came, length) : 0) : result > 0 ? result : 0;
        waiting -= bytes;
        printf("in %d %d %.*s\n", result, result < 0 ? errno : 0, bytes, came);
        break;
      }
      case 5: printf("ready %d\n", readiness(way, how, set, server)); break;
      case 6: if (how == BY_NUMBER) syscall(SYS_ioctl, server, (long)FIONREAD, &readable); else CALL(ioctl)(server, FIONREAD, &readable); printf("waiting %d\n", readable); break;
      case 7: printf("copy %d\n", copy(way % 4, how, server, number)); break;
    }
  }
}

static void roads_at_random_1(int client, int server) { walk(client, server, 1); }
static void roads_at_random_2(int client, int server) { walk(client, server, 2); }
static void roads_at_random_3(int client, int server) { walk(client, server, 3); }
static void roads_at_random_4(int client, int server) { walk(client, server, 4); }

/* What a table of data holds, what the loader says of it, and what a look-up finds are one function. */
static void lookups_agree(int client, int server) {
  static ssize_t (*const table[])(int, const void *, size_t) = { write };
  void *libc = dlopen("libc.so.6", RTLD_NOW);
  Dl_info information;
  (void)client; (void)server;
  printf("table %d\n", dlsym(libc, "write") == (void *)table[0]);
  printf("default %d next %d\n", dlsym(RTLD_DEFAULT, "write") == (void *)table[0], dlsym(RTLD_NEXT, "write") == (void *)table[0]);
  printf("versioned %d %d\n", dlvsym(libc, "write", "GLIBC_2.2.5") == (void *)table[0], dlvsym(libc, "write", "GLIBC_9") == NULL);
  printf("itself %d\n", dlsym(libc, "dlsym") == (void *)&dlsym);
  printf("not there %d\n", dlsym(libc, "no_such_function") == NULL);
  printf("error %d\n", dlerror() != NULL);
  printf("then none %d\n", dlsym(libc, "write") != NULL && dlerror() == NULL);
  printf("others %d\n", dlsym(libc, "qsort") == (void *)&qsort && dladdr(dlsym(libc, "qsort"), &information) && strstr(information.dli_fname, "libc.so") != NULL);
}

/* ---- A sleeper in each of the calls, woken by a byte. */

static int peer;
static void *send_later(void *nothing) {
  settle();
  send(peer, "x", 1, 0);
  return nothing;
}

static void sleepers_by_number(int client, int server) {
  char byte;
  struct epoll_event wanted = { EPOLLIN, { 0 } }, event;
  int set = (int)syscall(SYS_epoll_create1, 0L);
  syscall(SYS_epoll_ctl, set, EPOLL_CTL_ADD, server, &wanted);
  peer = client;
  for (int way = 0; way < 8; way++) {
    pthread_t thread;
    struct pollfd one = { server, POLLIN, 0 };
    struct timespec time = { 10, 0 };
    struct timeval small = { 10, 0 };
    struct { const void *mask; size_t bytes; } mask = { NULL, 8 };
    fd_set readable;
    FD_ZERO(&readable); FD_SET(server, &readable);
    pthread_create(&thread, NULL, send_later, NULL);
    switch (way) {
      case 0: report("poll", syscall(SYS_poll, &one, 1L, 10000L)); break;
      case 1: report("ppoll", syscall(SYS_ppoll, &one, 1L, &time, NULL, 0L)); break;
      case 2: report("select", syscall(SYS_select, (long)server + 1, &readable, NULL, NULL, &small)); break;
      case 3: report("pselect6", syscall(SYS_pselect6, (long)server + 1, &readable, NULL, NULL, &time, &mask)); break;
      case 4: report("epoll_wait", syscall(SYS_epoll_wait, set, &event, 1L, 10000L)); break;
      case 5: report("epoll_pwait", syscall(SYS_epoll_pwait, set, &event, 1L, 10000L, NULL, 8L)); break;
      case 6: report("epoll_pwait2", syscall(SYS_epoll_pwait2, set, &event, 1L, &time, NULL, 8L)); break;
      case 7: report("read", syscall(SYS_read, server, &byte, 1L)); break;
    }
    /* Linux leaves the time that is left behind, in the calls that are made by number. */
    int leaves = way == 1 || way == 3;
    printf("time left %d\n", leaves ? time.tv_sec < 10 && time.tv_sec > 5 : way == 2 ? small.tv_sec < 10 && small.tv_sec > 5 : time.tv_sec == 10);
    if (way != 7) report("read", syscall(SYS_read, server, &byte, 1L));
    pthread_join(thread, NULL);
  }
}

static void masks_and_times_by_number(int client, int server) {
  (void)client;
  struct pollfd one = { server, POLLIN, 0 };
  struct timespec wrong = { 0, 2000000000 }, negative = { -1, 0 }, soon = { 0, 20000000 }, none = { 0, 0 };
  struct { const void *mask; size_t bytes; } odd = { &all_signals, 4 }, nowhere = { (void *)8, 8 };
  struct epoll_event event;
  int set = epoll_create1(0);
  fd_set readable;
  FD_ZERO(&readable); FD_SET(server, &readable);
  epoll_ctl(set, EPOLL_CTL_ADD, server, &(struct epoll_event){ EPOLLIN, { 0 } });
  report("ppoll, mask of 4 bytes", syscall(SYS_ppoll, &one, 1L, &none, &all_signals, 4L));
  report("ppoll, no mask of 4 bytes", syscall(SYS_ppoll, &one, 1L, &none, NULL, 4L));
  report("ppoll, mask nowhere", syscall(SYS_ppoll, &one, 1L, &none, 8L, 8L));
  report("ppoll, time nowhere", syscall(SYS_ppoll, &one, 1L, 8L, NULL, 8L));
  report("ppoll, wrong time", syscall(SYS_ppoll, &one, 1L, &wrong, NULL, 8L));
  report("ppoll, negative time", syscall(SYS_ppoll, &one, 1L, &negative, NULL, 8L));
  report("ppoll", syscall(SYS_ppoll, &one, 1L, &soon, NULL, 8L));
  printf("left %ld %ld\n", (long)soon.tv_sec, soon.tv_nsec);
  report("pselect6, mask of 4 bytes", syscall(SYS_pselect6, (long)server + 1, &readable, NULL, NULL, &none, &odd));
  report("pselect6, mask nowhere", syscall(SYS_pselect6, (long)server + 1, &readable, NULL, NULL, &none, &nowhere));
  report("pselect6, both nowhere", syscall(SYS_pselect6, (long)server + 1, &readable, NULL, NULL, &none, 8L));
  report("pselect6, time nowhere", syscall(SYS_pselect6, (long)server + 1, &readable, NULL, NULL, 8L, NULL));
  report("pselect6", syscall(SYS_pselect6, (long)server + 1, &readable, NULL, NULL, &none, NULL));
  report("epoll_pwait, mask of 4 bytes", syscall(SYS_epoll_pwait, set, &event, 1L, 0L, &all_signals, 4L));
  report("epoll_pwait", syscall(SYS_epoll_pwait, set, &event, 1L, 0L, NULL, 0L));
  report("epoll_pwait2, time nowhere", syscall(SYS_epoll_pwait2, set, &event, 1L, 8L, NULL, 8L));
  report("epoll_pwait2", syscall(SYS_epoll_pwait2, set, &event, 1L, &none, NULL, 8L));
}

/* ---- Handlers installed by number interrupt what sleeps and what spins. */

static volatile int handled;
static void note(int signal) { handled += signal == SIGUSR1; }

/* As the kernel takes it. libc's way of returning from a handler is taken from one that libc has installed. */
struct kernel_action { void (*handler)(int); unsigned long flags; void *restorer; uint64_t mask; };

static void *interrupt(void *thread) {
  settle();
  pthread_kill(*(pthread_t *)thread, SIGUSR1);
  return NULL;
}

static void handlers_by_number(int client, int server) {
  (void)client;
  struct sigaction named = { .sa_handler = note };
  struct kernel_action action, old = { 0 };
  struct pollfd one = { server, POLLIN, 0 };
  pthread_t self = pthread_self(), thread;
  sigaction(SIGUSR2, &named, NULL);
  report("asked", syscall(SYS_rt_sigaction, SIGUSR2, NULL, &action, 8L));
  printf("handler %d\n", action.handler == note);
  report("set", syscall(SYS_rt_sigaction, SIGUSR1, &action, &old, 8L));
  printf("before %d\n", old.handler == SIG_DFL);
  pthread_create(&thread, NULL, interrupt, &self);
  report("poll", syscall(SYS_poll, &one, 1L, 10000L));
  pthread_join(thread, NULL);
  report("asked by name", sigaction(SIGUSR1, NULL, &named));
  printf("handler %d flags %x handled %d\n", named.sa_handler == note, (unsigned)named.sa_flags & 0xf0000000u, handled);
  report("faults", syscall(SYS_rt_sigaction, SIGSEGV, NULL, &old, 8L));
  printf("default %d\n", old.handler == SIG_DFL);
  report("no such signal", syscall(SYS_rt_sigaction, 65L, &action, NULL, 8L));
  report("kill", syscall(SYS_rt_sigaction, SIGKILL, &action, NULL, 8L));
  report("mask of 4 bytes", syscall(SYS_rt_sigaction, SIGUSR1, &action, NULL, 4L));
  report("from nowhere", syscall(SYS_rt_sigaction, SIGUSR1, 8L, NULL, 8L));
  report("to nowhere", syscall(SYS_rt_sigaction, SIGUSR1, NULL, 8L, 8L));
}

/* ---- Children by number: each side goes on with the connection, and its end is the other's. */

static void children_by_number(int client, int server) {
  char line[100];
  for (int way = 0; way < 3; way++) {
    struct clone_args arguments = { .exit_signal = SIGCHLD };
    send(client, "before", 6, 0);
    int child = (int)(way == 0 ? syscall(SYS_fork) : way == 1 ? syscall(SYS_clone, (long)SIGCHLD, 0L, NULL, NULL, 0L) : syscall(SYS_clone3, &arguments, sizeof arguments));
    if (child == 0) {
      ssize_t got = recv(server, line, 6, MSG_WAITALL);
      send(client, got == 6 && memcmp(line, "before", 6) == 0 ? "child " : "wrong ", 6, 0);
      syscall(SYS_exit_group, 7L);
    }
    int status = 0;
    waitpid(child, &status, 0);
    printf("exit code %d\n", WEXITSTATUS(status));
    memset(line, 0, sizeof line);
    send(client, "parent", 6, 0);
    printf("%zu %s\n", receive_all(server, line, 12), line);
  }
}

static void program_by_number(int client, int server) {
  char line[100] = "";
  send(client, "for the other program\n", 22, 0);
  fflush(stdout);
  int child = fork();
  if (child == 0) {
    char *arguments[] = { "sh", "-c", "read -r line; echo \"$line\"", NULL }, *environment[] = { NULL };
    syscall(SYS_dup2, server, 0L);
    syscall(SYS_execve, "/bin/sh", arguments, environment);
    syscall(SYS_exit_group, 9L);
  }
  int status = 0;
  waitpid(child, &status, 0);
  printf("exit code %d\n", WEXITSTATUS(status));
  send(client, "afterwards", 10, 0);
  printf("%zu %s\n", receive_all(server, line, 10), line);
}

const struct experiment number_experiments[] = {
  { "roads_at_random_1", roads_at_random_1 }, { "roads_at_random_2", roads_at_random_2 }, { "roads_at_random_3", roads_at_random_3 },
  { "roads_at_random_4", roads_at_random_4 }, { "lookups_agree", lookups_agree }, { "sleepers_by_number", sleepers_by_number }, { "masks_and_times_by_number", masks_and_times_by_number },
  { "handlers_by_number", handlers_by_number }, { "children_by_number", children_by_number }, { "program_by_number", program_by_number }, { 0 } };
