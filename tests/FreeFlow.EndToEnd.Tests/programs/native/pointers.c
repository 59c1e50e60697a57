/* Bad pointers: EFAULT, and nothing is lost; faults of the application's own stay its own. */
#include "experiment.h"

#include <poll.h>
#include <setjmp.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/uio.h>
#include <sys/wait.h>

static char buffer[100000];

/* Out of the compiler's sight. */
static void *volatile null = NULL, *volatile one = (void *)1;

static char *forbidden(void) { return mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); }
static char *read_only(void) { return mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); }

static void bad_send(int client, int server) {
  char *bad = forbidden();
  report("send NULL", send(client, null, 5, 0));
  report("send forbidden", send(client, bad, 5, 0));
  report("send 100000 forbidden", send(client, bad, 100000, 0));
  report("write 1", write(client, one, 5));
  report("write end of space", write(client, (void *)-5L, 3));
  struct iovec vectors[2] = { { "good", 4 }, { bad, 4 } };
  report("writev forbidden", writev(client, (struct iovec *)bad, 2));
  report("writev NULL", writev(client, null, 2));
  report("sendmsg NULL", sendmsg(client, NULL, 0));
  report("sendmsg forbidden", sendmsg(client, (struct msghdr *)bad, 0));
  struct msghdr message = { .msg_iov = (struct iovec *)bad, .msg_iovlen = 1 };
  report("sendmsg forbidden vectors", sendmsg(client, &message, 0));
  vectors[0] = vectors[1];
  report("writev forbidden buffers", writev(client, vectors, 2));
  report("sendto", sendto(client, bad, 4, 0, NULL, 0));
  report("nothing arrived", recv(server, buffer, sizeof buffer, MSG_DONTWAIT));
  report("send", send(client, "fine", 4, 0));
  report("recv", recv(server, buffer, sizeof buffer, 0));
}

static void bad_recv(int client, int server) {
  char *bad = forbidden(), *constant = read_only();
  send(client, "not lost", 8, 0);
  settle();
  report("recv NULL", recv(server, null, 8, 0));
  report("recv forbidden", recv(server, bad, 8, 0));
  report("read constant", read(server, constant, 8));
  report("peek forbidden", recv(server, bad, 8, MSG_PEEK));
  struct iovec vectors[1] = { { bad, 8 } };
  report("readv", readv(server, vectors, 1));
  report("readv forbidden", readv(server, (struct iovec *)bad, 1));
  report("recvmsg NULL", recvmsg(server, NULL, 0));
  report("recvmsg forbidden", recvmsg(server, (struct msghdr *)bad, 0));
  struct msghdr message = { .msg_iov = vectors, .msg_iovlen = 1 };
  report("recvmsg", recvmsg(server, &message, 0));
  report("recv", recv(server, buffer, sizeof buffer, 0));
  printf("%.8s\n", buffer);
}

static void bad_readiness(int client, int server) {
  char *bad = forbidden();
  struct epoll_event event = { .events = EPOLLIN };
  int epoll = epoll_create1(0);
  report("add NULL", epoll_ctl(epoll, EPOLL_CTL_ADD, server, NULL));
  report("add forbidden", epoll_ctl(epoll, EPOLL_CTL_ADD, server, (struct epoll_event *)bad));
  report("add", epoll_ctl(epoll, EPOLL_CTL_ADD, server, &event));
  send(client, "x", 1, 0);
  settle();
  report("epoll_wait forbidden", epoll_wait(epoll, (struct epoll_event *)bad, 1, 0));
  report("epoll_wait", epoll_wait(epoll, &event, 1, 0));
  report("poll forbidden", poll((struct pollfd *)bad, 1, 0));
  report("select forbidden", select(server + 1, (fd_set *)bad, NULL, NULL, NULL));
  report("fine", recv(server, buffer, 10, 0));
}

static sigjmp_buf back;
static volatile sig_atomic_t seen;
static void *volatile address;
static void on_fault(int signal, siginfo_t *info, void *context) {
  (void)context;
  seen = signal;
  address = info->si_addr;
  siglongjmp(back, 1);
}

/* The application's own handler: its faults reach it, those of its sends do not. */
static void own_fault_handler(int client, int server) {
  char *bad = forbidden();
  struct sigaction action = { .sa_flags = SA_SIGINFO };
  action.sa_sigaction = on_fault;
  sigaction(SIGSEGV, &action, NULL);
  report("send forbidden", send(client, bad, 5, 0));
  printf("seen %d\n", (int)seen);
  if (sigsetjmp(back, 1) == 0) *(volatile char *)bad = 1;
  printf("seen %d, %s\n", (int)seen, address == bad ? "there" : "elsewhere");
  report("send", send(client, "fine", 4, 0));
  report("recv", recv(server, buffer, sizeof buffer, 0));
}

/* Of bad pointers the kernel tells whatever signals the thread blocks. */
static void both_ways(const char *when, int client, int server) {
  char *bad = forbidden(), *constant = read_only();
  printf("%s\n", when);
  send(client, "not lost", 8, 0);
  settle();
  report("send forbidden", send(client, bad, 5, 0));
  report("read constant", read(server, constant, 8));
  report("poll constant", poll((struct pollfd *)constant, 1, 0));
  report("recv", recv(server, buffer, sizeof buffer, MSG_DONTWAIT));
}

static int the_client, the_server;
static void on_signal(int signal) {
  (void)signal;
  both_ways("in a handler", the_client, the_server);
}

static void *in_thread(void *unused) {
  both_ways("in a thread", the_client, the_server);
  return unused;
}

static void blocked_faults(int client, int server) {
  sigset_t all, old;
  pthread_t thread;
  struct sigaction action = { .sa_handler = on_signal };
  the_client = client;
  the_server = server;
  sigfillset(&all);
  sigfillset(&action.sa_mask);
  both_ways("before", client, server);
  sigaction(SIGUSR1, &action, NULL);
  raise(SIGUSR1);
  both_ways("behind the handler", client, server);
  sigprocmask(SIG_BLOCK, &all, &old);
  both_ways("blocked", client, server);
  pthread_create(&thread, NULL, in_thread, NULL);
  pthread_join(thread, NULL);
  sigprocmask(SIG_SETMASK, NULL, &all);
  printf("still blocked: %d %d\n", sigismember(&all, SIGSEGV), sigismember(&all, SIGBUS));
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  both_ways("let through", client, server);
  pthread_sigmask(SIG_BLOCK, &all, &old);
  both_ways("blocked again", client, server);
}

/* A handler of crashes that reports them over the socket, on a stack of its own, and has been given a bad pointer itself. */
static void on_crash(int signal, siginfo_t *info, void *context) {
  (void)info;
  (void)context;
  printf("crash %d\n", signal);
  both_ways("in the crash", the_client, the_server);
  siglongjmp(back, 1);
}

static void crash_reporter(int client, int server) {
  static char stack[65536];
  stack_t other = { .ss_sp = stack, .ss_size = sizeof stack };
  struct sigaction action = { .sa_flags = SA_SIGINFO | SA_ONSTACK };
  the_client = client;
  the_server = server;
  sigaltstack(&other, NULL);
  action.sa_sigaction = on_crash;
  sigaction(SIGSEGV, &action, NULL);
  sigaction(SIGBUS, &action, NULL);
  for (int i = 0; i < 3; i++) {
    if (sigsetjmp(back, 1) == 0) *(volatile char *)forbidden() = 1;
    both_ways("behind the crash", client, server);
  }
}

/* Pages of a mapping behind the end of its file. */
static void cut_file(int client, int server) {
  int file = memfd_create("cut", 0);
  if (ftruncate(file, 8192) != 0) abort();
  char *mapped = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  memset(mapped, 'x', 8192);
  if (ftruncate(file, 4096) != 0) abort();
  report("send behind", send(client, mapped + 4096, 5, 0));
  report("send the last", send(client, mapped + 4091, 5, 0));
  settle();
  report("recv behind", recv(server, mapped + 5000, 5, 0));
  report("recv", recv(server, buffer, 5, 0));
}

static void how_it_ended(const char *what, pid_t child) {
  int status;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) printf("%s: signal %d\n", what, WTERMSIG(status));
  else printf("%s: exit %d\n", what, WEXITSTATUS(status));
}

/* Without a handler a fault ends the process, as does a signal that is sent; an ignored one only if it was sent. */
static void faults_end_the_process(int client, int server) {
  (void)client;
  (void)server;
  pid_t child;
  fflush(stdout);
  if ((child = fork()) == 0) { *(volatile char *)forbidden() = 1; _exit(1); }
  how_it_ended("fault", child);
  if ((child = fork()) == 0) { raise(SIGSEGV); _exit(1); }
  how_it_ended("raised", child);
  if ((child = fork()) == 0) { kill(getpid(), SIGBUS); usleep(100000); _exit(1); }
  how_it_ended("sent", child);
  if ((child = fork()) == 0) { signal(SIGSEGV, SIG_IGN); raise(SIGSEGV); _exit(7); }
  how_it_ended("ignored", child);
  if ((child = fork()) == 0) { signal(SIGSEGV, SIG_IGN); *(volatile char *)forbidden() = 1; _exit(7); }
  how_it_ended("ignored fault", child);
  if ((child = fork()) == 0) { signal(SIGSEGV, SIG_DFL); pause(); }
  usleep(50000);
  kill(child, SIGSEGV);
  how_it_ended("sent from outside", child);
}

/* ---- Control messages that go while the call that was given them sleeps. */

struct passing { int to, from, fd; char *control; size_t bytes; };

static void *drains(void *argument) {
  struct passing *p = argument;
  char bytes[4096], control[CMSG_SPACE(sizeof(int))];
  struct iovec vector = { bytes, sizeof bytes };
  settle();
  munmap(p->control, 8192);
  for (long got = 1; got > 0;) {
    struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
    got = recvmsg(p->from, &message, 0);
    if (got > 0 && CMSG_FIRSTHDR(&message)) memcpy(&p->fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof p->fd);
  }
  return NULL;
}

static void passed_by(int client, int server, size_t filler, int unread) {
  int ends[2], one_fd = server;
  pthread_t thread;
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends)) return;
  struct passing p = { .to = ends[0], .from = ends[1], .fd = -1 };
  p.control = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  /* Messages of nothing before the one that counts, so that the whole is larger than what fits a stack. */
  for (; filler; filler--, p.bytes += CMSG_SPACE(0))
    *(struct cmsghdr *)(p.control + p.bytes) = (struct cmsghdr){ .cmsg_len = CMSG_LEN(0), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
  struct cmsghdr *header = (struct cmsghdr *)(p.control + p.bytes);
  *header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof one_fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
  memcpy(CMSG_DATA(header), &one_fd, sizeof one_fd);
  p.bytes += CMSG_SPACE(sizeof one_fd);
  if (unread) { send(client, "unread", 6, 0); settle(); }
  while (send(p.to, buffer, 4096, MSG_DONTWAIT) > 0) { }
  pthread_create(&thread, NULL, drains, &p);
  struct iovec vector = { buffer, 4096 };
  struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1, .msg_control = p.control, .msg_controllen = p.bytes };
  report("sendmsg", sendmsg(p.to, &message, 0));
  shutdown(p.to, SHUT_WR);
  pthread_join(thread, NULL);
  send(client, "more", 4, 0);
  settle();
  long got = recv(p.fd, buffer, sizeof buffer, 0);
  report("by what was passed", got);
  if (got > 0) printf("%.*s\n", (int)got, buffer);
  close(p.fd);
  close(p.to);
  close(p.from);
}

static void control_goes_while_it_sleeps(int client, int server) {
  passed_by(client, server, 0, 1);
  passed_by(client, server, 0, 0);
}

static void long_control_goes_while_it_sleeps(int client, int server) { passed_by(client, server, 200, 1); }

const struct experiment pointer_experiments[] = {
  { "control_goes_while_it_sleeps", control_goes_while_it_sleeps },
  { "long_control_goes_while_it_sleeps", long_control_goes_while_it_sleeps },
  { "bad_send", bad_send }, { "bad_recv", bad_recv }, { "bad_readiness", bad_readiness }, { "own_fault_handler", own_fault_handler },
  { "blocked_faults", blocked_faults }, { "crash_reporter", crash_reporter }, { "cut_file", cut_file },
  { "faults_end_the_process", faults_end_the_process }, { NULL, NULL },
};
