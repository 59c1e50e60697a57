#define _GNU_SOURCE
#include <arpa/inet.h>
#include <limits.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <ucontext.h>
#include <unistd.h>
static int l, c, s;
static struct sockaddr_in a = { .sin_family = AF_INET };
static void talk(void) {
  char b[100], d[100];
  for (int i = 0; i < 50; i++) {
    memset(b, i, sizeof b);
    if (send(c, b, sizeof b, 0) != sizeof b || recv(s, d, sizeof d, MSG_WAITALL) != sizeof d || memcmp(b, d, sizeof d)) { perror("forth"); exit(2); }
    if (send(s, d, 10, 0) != 10 || recv(c, b, 10, MSG_WAITALL) != 10) { perror("back"); exit(3); }
  }
}
static void *begin(void *unused) {
  socklen_t n = sizeof a;
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  l = socket(AF_INET, SOCK_STREAM, 0);
  bind(l, (void *)&a, n); listen(l, 1); getsockname(l, (void *)&a, &n);
  c = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(c, (void *)&a, n) || (s = accept(l, NULL, NULL)) < 0) { perror("connect"); exit(1); }
  talk();
  return unused;
}
static ucontext_t here, there;
static void on_own_stack(void) { begin(NULL); talk(); swapcontext(&there, &here); talk(); }
static void run(int size) {
  pthread_attr_t t; pthread_t p;
  pthread_attr_init(&t);
  pthread_attr_setstacksize(&t, size);
  if (pthread_create(&p, &t, begin, NULL)) { puts("no thread"); exit(5); }
  pthread_join(p, NULL);
}
int main(int argc, char **argv) {
  int size = argc > 1 ? atoi(argv[1]) * 1024 : 16384;
  if (argc > 2) {
    getcontext(&there);
    there.uc_stack.ss_sp = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(there.uc_stack.ss_sp, 4096, PROT_NONE);
    there.uc_stack.ss_size = size; there.uc_link = &here;
    makecontext(&there, on_own_stack, 0);
    swapcontext(&here, &there); puts("half"); swapcontext(&here, &there);
  } else run(size);
  puts("fine");
  return 0;
}
