/* talk [COUNT [uring|polled]]: a connection with itself over 127.0.0.1; prints what came. An io_uring is made before, "polled" by a kernel thread. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef OPTIONS
const char *__asan_default_options(void) { return "detect_stack_use_after_return=0"; }
#endif

int main(int argc, char **argv) {
  int count = argc > 1 ? atoi(argv[1]) : 50;
  if (argc > 2) {
    char parameters[256] = "";
    if (strcmp(argv[2], "polled") == 0) parameters[8] = 2;
    long ring = syscall(SYS_io_uring_setup, 4, parameters);
    printf("io_uring: %s\n", ring >= 0 ? "made" : strerror(errno));
  }
  struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
  socklen_t n = sizeof a;
  int l = socket(AF_INET, SOCK_STREAM, 0), c, s;
  if (l < 0 || bind(l, (void *)&a, n) || listen(l, 1) || getsockname(l, (void *)&a, &n)) { perror("listen"); return 1; }
  c = socket(AF_INET, SOCK_STREAM, 0);
  if (c < 0 || connect(c, (void *)&a, n) || (s = accept(l, NULL, NULL)) < 0) { perror("connect"); return 1; }
  char b[1000], d[1000];
  long sum = 0;
  for (int i = 0; i < count; i++) {
    memset(b, i, sizeof b);
    if (send(c, b, sizeof b, 0) != sizeof b || recv(s, d, sizeof d, MSG_WAITALL) != sizeof d || memcmp(b, d, sizeof d)) { perror("forth"); return 2; }
    if (send(s, d, 10, 0) != 10 || recv(c, b, 10, MSG_WAITALL) != 10) { perror("back"); return 3; }
    sum += d[5];
  }
  close(c);
  printf("%d messages, sum %ld, end %zd\n", count, sum, recv(s, d, 10, 0));
  if (getenv("PAUSE")) { fflush(stdout); sleep(atoi(getenv("PAUSE"))); }
  return 0;
}
