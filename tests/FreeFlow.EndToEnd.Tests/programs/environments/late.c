/*
 * late WAY [TIMES]: a connection with itself, of which a shim knows nothing but how much it has moved when it is used in the given way. What is printed must not
 * depend on what carries the bytes, the number of threads included.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static int listener, c, s;
static unsigned long sum, step;

static int threads(void) {
  char line[256];
  int count = -1;
  FILE *status = fopen("/proc/self/status", "r");
  while (fgets(line, sizeof line, status)) if (sscanf(line, "Threads: %d", &count) == 1) break;
  fclose(status);
  return count;
}

static void meet(void) {
  struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
  socklen_t n = sizeof a;
  listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  c = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(listener, (void *)&a, n) || listen(listener, 8) || getsockname(listener, (void *)&a, &n) || connect(c, (void *)&a, n) || (s = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) < 0) { perror("meet"); exit(1); }
}

static void one_way(int from, int to, size_t bytes) {
  static unsigned char out[70000], in[70000];
  for (size_t i = 0; i < bytes; i++) out[i] = (unsigned char)(step * 31 + i * 7);
  struct iovec v = { out, bytes };
  struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
  ssize_t sent = step % 4 == 0 ? send(from, out, bytes, MSG_NOSIGNAL) : step % 4 == 1 ? write(from, out, bytes) : step % 4 == 2 ? sendmsg(from, &m, 0) : writev(from, &v, 1);
  v.iov_base = in;
  size_t done = 0;
  while (done < bytes) {
    v = (struct iovec){ in + done, bytes - done };
    ssize_t got = step % 3 == 0 ? recv(to, in + done, bytes - done, 0) : step % 3 == 1 ? read(to, in + done, bytes - done) : recvmsg(to, &m, 0);
    if (got <= 0) { printf("step %lu: received %zd, %d\n", step, got, errno); exit(2); }
    done += (size_t)got;
  }
  if (sent != (ssize_t)bytes || memcmp(in, out, bytes)) { printf("step %lu: sent %zd of %zu, wrong bytes\n", step, sent, bytes); exit(3); }
  for (size_t i = 0; i < bytes; i++) sum = sum * 33 + in[i];
  step++;
}

static int times = 1;
static void talk(int rounds) { for (int i = 0; i < rounds * (rounds == 20 ? times : 1); i++) { one_way(c, s, 100 + (size_t)i % 60); one_way(s, c, 10); } }

static void *in_thread(void *unused) { talk(20); return unused; }

int main(int argc, char **argv) {
  const char *way = argc > 1 ? argv[1] : "plain";
  if (argc > 2) times = atoi(argv[2]);
  meet();
  talk(1);
  printf("threads after two messages: %d\n", threads());
  if (strcmp(way, "little") == 0) { printf("threads: %d\n", threads()); goto end; }
  if (strcmp(way, "bytes") == 0) { for (int i = 0; i < 3; i++) one_way(c, s, 60000); usleep(50000); talk(20); }
  else if (strcmp(way, "dup") == 0) { talk(1); int d = dup(c); close(c); c = d; talk(20); }
  else if (strcmp(way, "dup-later") == 0) { talk(20); int d = dup(c); close(c); c = d; talk(20); }
  else if (strcmp(way, "dup2") == 0) { int d = dup2(s, 100); close(s); s = d; talk(20); }
  else if (strcmp(way, "fcntl-dup") == 0) { int d = fcntl(s, F_DUPFD_CLOEXEC, 50); close(s); s = d; talk(20); }
  else if (strcmp(way, "fork-child") == 0 || strcmp(way, "fork-parent") == 0 || strcmp(way, "fork-both") == 0) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
      if (strcmp(way, "fork-parent") != 0) { talk(20); printf("child: sum %lu\n", sum); fflush(stdout); }
      _exit(0);
    }
    if (strcmp(way, "fork-child") == 0) { close(c); close(s); }
    int status;
    waitpid(child, &status, 0);
    printf("child: %d\n", status);
    if (strcmp(way, "fork-child") == 0) meet();
    talk(20);
  } else if (strcmp(way, "daemon") == 0) { fflush(stdout); int p[2]; if (pipe(p)) return 9; if (fork() == 0) { close(p[0]); if (daemon(1, 1)) _exit(9); talk(20); _exit(write(p[1], &sum, sizeof sum) != sizeof sum); }
    close(p[1]); close(c); close(s); wait(NULL); if (read(p[0], &sum, sizeof sum) != sizeof sum) return 8; meet(); talk(20);
  } else if (strcmp(way, "thread") == 0) { pthread_t t; pthread_create(&t, NULL, in_thread, NULL); pthread_join(t, NULL); talk(20); }
  else if (strcmp(way, "spawn") == 0) {
    fcntl(c, F_SETFD, 0);
    pid_t child; int status;
    fflush(stdout);
    posix_spawnp(&child, "true", NULL, NULL, (char *[]){ "true", NULL }, environ);
    waitpid(child, &status, 0);
    printf("spawned: %d\n", status);
    talk(20);
  } else if (strcmp(way, "system") == 0) { fflush(stdout); printf("system: %d\n", system("true")); talk(20); }
  else if (strcmp(way, "exec") == 0) { dup2(c, 8); dup2(s, 9); fflush(stdout); execlp("sh", "sh", "-c", "echo hello >&8; read line <&9; echo read $line", NULL); }
  else if (strcmp(way, "rights") == 0) {
    int u[2], one = c; char byte = 'x', control[CMSG_SPACE(sizeof one)];
    socketpair(AF_UNIX, SOCK_STREAM, 0, u);
    struct iovec v = { &byte, 1 };
    struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
    struct cmsghdr *h = CMSG_FIRSTHDR(&m);
    h->cmsg_level = SOL_SOCKET; h->cmsg_type = SCM_RIGHTS; h->cmsg_len = CMSG_LEN(sizeof one); memcpy(CMSG_DATA(h), &one, sizeof one);
    printf("sendmsg: %zd\n", sendmsg(u[0], &m, 0));
    printf("recvmsg: %zd\n", recvmsg(u[1], &m, 0));
    memcpy(&one, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof one);
    for (int i = 0; i < 12; i++) { one_way(i % 2 ? one : c, s, 50); one_way(s, i % 2 ? c : one, 50); }
    talk(20);
  } else if (strcmp(way, "epoll") == 0 || strcmp(way, "epoll-edge") == 0 || strcmp(way, "epoll-once") == 0 || strcmp(way, "epoll-in-thread") == 0) {
    uint32_t how = strcmp(way, "epoll-edge") == 0 ? EPOLLET : strcmp(way, "epoll-once") == 0 ? EPOLLONESHOT : 0;
    int e = epoll_create1(EPOLL_CLOEXEC), good = 0;
    struct epoll_event wanted = { EPOLLIN | how, { .u64 = 77 } }, got[4];
    printf("nothing: %d\n", epoll_wait(e, got, 4, 0));
    epoll_ctl(e, EPOLL_CTL_ADD, s, &wanted);
    for (int i = 0; i < 20; i++) {
      unsigned char byte = (unsigned char)i, back = 0;
      if (write(c, &byte, 1) != 1) return 4;
      int n = epoll_wait(e, got, 4, 5000);
      good += n == 1 && got[0].events == EPOLLIN && got[0].data.u64 == 77 && read(s, &back, 1) == 1 && back == byte;
      if (how == EPOLLONESHOT) { if (write(c, &byte, 1) != 1) return 4; usleep(2000); good += epoll_wait(e, got, 4, 0) == 0; epoll_ctl(e, EPOLL_CTL_MOD, s, &wanted); good += epoll_wait(e, got, 4, 5000) == 1 && read(s, &back, 1) == 1; epoll_ctl(e, EPOLL_CTL_MOD, s, &wanted); }
      one_way(s, c, 20);
    }
    printf("good: %d, after: %d\n", good, epoll_wait(e, got, 4, 0));
    talk(20);
  } else if (strcmp(way, "poll") == 0 || strcmp(way, "select") == 0) {
    int good = 0;
    for (int i = 0; i < 30; i++) {
      unsigned char byte = (unsigned char)i, back = 0;
      struct pollfd p = { s, POLLIN, 0 };
      fd_set set; FD_ZERO(&set); FD_SET(s, &set);
      struct timeval time = { 5, 0 };
      if (write(c, &byte, 1) != 1) return 4;
      int n = strcmp(way, "poll") == 0 ? poll(&p, 1, 5000) : select(s + 1, &set, NULL, NULL, &time);
      good += n == 1 && read(s, &back, 1) == 1 && back == byte;
      one_way(s, c, 20);
    }
    printf("good: %d\n", good);
    talk(20);
  } else if (strcmp(way, "closed") == 0) { talk(1); close(c); char b; printf("end: %zd\n", recv(s, &b, 1, 0)); close(s); meet(); talk(20); }
  else if (strcmp(way, "close-range") == 0) { close_range((unsigned)c, (unsigned)(c > s ? c : s), 0); int p[2]; if (pipe(p)) return 5; char b = 0; for (int i = 0; i < 30; i++) if (write(p[1], "y", 1) != 1 || read(p[0], &b, 1) != 1 || b != 'y') return 6; printf("a pipe of the same number: %c\n", b); meet(); talk(20); }
  else if (strcmp(way, "many") == 0) {
    int cs[80], ss[80];
    for (int i = 0; i < 80; i++) { close(listener); meet(); cs[i] = c; ss[i] = s; talk(1); }
    for (int i = 0; i < 80; i++) { c = cs[i]; s = ss[i]; talk(12); }
  } else if (strcmp(way, "shutdown") == 0) { talk(1); one_way(c, s, 5); shutdown(c, SHUT_WR); char b; printf("end: %zd\n", recv(s, &b, 1, 0)); for (int i = 0; i < 20; i++) one_way(s, c, 30); }
  else if (strcmp(way, "urgent") == 0) { printf("urgent: %zd\n", send(c, "u", 1, MSG_OOB)); usleep(5000); char b; printf("got: %zd\n", recv(s, &b, 1, MSG_OOB)); talk(20); }
  else if (strcmp(way, "peek") == 0) { char b[10]; for (int i = 0; i < 20; i++) { if (write(c, "abc", 3) != 3) return 7; if (recv(s, b, 10, MSG_PEEK) < 1 || recv(s, b, 3, MSG_WAITALL) != 3) return 7; } talk(20); }
  else if (strcmp(way, "stream") == 0) { FILE *f = fdopen(c, "r+"); char line[20]; for (int i = 0; i < 20; i++) { fputs("question\n", f); fflush(f); if (read(s, line, 9) != 9 || write(s, "answer\n", 7) != 7) return 7; if (!fgets(line, 20, f)) return 8; } printf("last: %s", line); }
  else if (strcmp(way, "unread") == 0) { for (int i = 0; i < 30; i++) if (write(c, "0123456789", 10) != 10) return 7; char b[301]; printf("read: %zd\n", recv(s, b, 300, MSG_WAITALL)); talk(20); }
  else { talk(10); talk(20); }
end:
  printf("%s: %lu steps, sum %lu\n", way, step, sum);
  return 0;
}
