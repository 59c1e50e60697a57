/*
 * Built twice. With GUEST: a library that brings liburing along. Without: a program that opens that library, or liburing itself (LIBRARY "itself"),
 * for itself alone, sends a byte by its ring and more by libc, and prints what came.
 */
#include <liburing.h>

#ifdef GUEST

static struct io_uring ring;

int guest_send(int fd, const char *bytes, unsigned count) {
  struct io_uring_cqe *event;
  if (!ring.ring_fd && io_uring_queue_init(8, &ring, 0) < 0) return -1000;
  io_uring_prep_send(io_uring_get_sqe(&ring), fd, bytes, count, 0);
  if (io_uring_submit(&ring) != 1 || io_uring_wait_cqe(&ring, &event) != 0) return -1001;
  int result = event->res;
  io_uring_cqe_seen(&ring, event);
  return result;
}

#else

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static void *library;

/* As a language's foreign function interface does it: every function looked up, the ring's entries filled by hand. */
static int send_by_lookup(int fd, const char *bytes, unsigned count) {
  static struct io_uring ring;
  int (*init)(unsigned, struct io_uring *, unsigned) = (int (*)(unsigned, struct io_uring *, unsigned))dlsym(library, "io_uring_queue_init");
  int (*submit)(struct io_uring *, unsigned) = (int (*)(struct io_uring *, unsigned))dlsym(library, "io_uring_submit_and_wait");
  if (!init || !submit || (!ring.ring_fd && init(8, &ring, 0) < 0)) return -1000;
  unsigned head = *ring.cq.khead;
  struct io_uring_sqe *entry = ring.sq.sqes + (ring.sq.sqe_tail++ & *ring.sq.kring_mask);
  memset(entry, 0, sizeof *entry);
  entry->opcode = IORING_OP_SEND;
  entry->fd = fd;
  entry->addr = (unsigned long)bytes;
  entry->len = count;
  if (submit(&ring, 1) != 1) return -1001;
  int result = ring.cq.cqes[head & *ring.cq.kring_mask].res;
  *ring.cq.khead = head + 1;
  return result;
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  int itself = strcmp(argv[1], "itself") == 0;
  library = dlopen(itself ? "liburing.so.2" : argv[1], RTLD_NOW | RTLD_LOCAL);
  if (!library) { puts(dlerror()); return 1; }
  int (*by_ring)(int, const char *, unsigned) = itself ? send_by_lookup : (int (*)(int, const char *, unsigned))dlsym(library, "guest_send");
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
  socklen_t length = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0), server;
  if (bind(listener, (void *)&address, length) || listen(listener, 1) || getsockname(listener, (void *)&address, &length)) return 1;
  if (connect(client, (void *)&address, length) || (server = accept(listener, NULL, NULL)) < 0) return 1;
  char text[64] = "";
  for (int i = 0; i < 20; i++)
    if (send(client, "warm", 4, 0) != 4 || recv(server, text, 4, MSG_WAITALL) != 4 || send(server, text, 4, 0) != 4 || recv(client, text, 4, MSG_WAITALL) != 4) return 1;
  send(client, "by send ", 8, 0);
  printf("%d\n", by_ring(client, "by ring ", 8));
  send(client, "by send ", 8, 0);
  printf("%d\n", by_ring(client, "by ring ", 8));
  memset(text, 0, sizeof text);
  printf("%zd %s\n", recv(server, text, 32, MSG_WAITALL), text);
  return 0;
}

#endif
