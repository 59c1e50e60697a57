/* io_uring beside libc's calls on one connection, by syscall(2): transfers, readiness, ends and registered files. */
#include "uring.h"

/* ---- Transfers: bytes of libc's calls before and after stay in their order. */

static void transfer(int client, int server, unsigned char out, unsigned char in) {
  struct iovec put = { "by ring ", 8 }, get = { buffer, 100 };
  struct msghdr send_header = { .msg_iov = &put, .msg_iovlen = 1 }, receive_header = { .msg_iov = &get, .msg_iovlen = 1 };
  int vectors = out == IORING_OP_WRITEV, messages = out == IORING_OP_SENDMSG;
  OPEN(ring);
  send(client, "by send ", 8, 0);
  raw_transfer(&ring, out, client, messages ? (void *)&send_header : vectors ? (void *)&put : "by ring ", vectors || messages ? 1 : 8);
  raw_one(&ring, "sent");
  send(client, "end", 3, 0);
  settle();
  raw_transfer(&ring, in, server, messages ? (void *)&receive_header : vectors ? (void *)&get : buffer, vectors || messages ? 1 : 100);
  text("received", raw_one(&ring, "result"));
  send(client, "more", 4, 0);
  send(server, "back", 4, 0);
  settle();
  text("by recv", recv(server, buffer, 100, 0));
  text("by recv", recv(client, buffer, 100, 0));
  raw_transfer(&ring, in == IORING_OP_READV || messages ? IORING_OP_RECV : in, client, buffer, 100);
  raw_submit(&ring, 0);
  send(server, "late", 4, 0);
  text("waited for", completion("result", raw_result(&ring)));
}

static void uring_send_recv(int client, int server) { transfer(client, server, IORING_OP_SEND, IORING_OP_RECV); }
static void uring_write_read(int client, int server) { transfer(client, server, IORING_OP_WRITE, IORING_OP_READ); }
static void uring_writev_readv(int client, int server) { transfer(client, server, IORING_OP_WRITEV, IORING_OP_READV); }
static void uring_sendmsg_recvmsg(int client, int server) { transfer(client, server, IORING_OP_SENDMSG, IORING_OP_RECVMSG); }

static void uring_zero_copy(int client, int server) {
  OPEN(ring);
  send(client, "by send ", 8, 0);
  raw_transfer(&ring, IORING_OP_SEND_ZC, client, "zero copy", 9);
  raw_one(&ring, "sent");
  settle();
  text("received", recv(server, buffer, 100, 0));
}

static void uring_splice(int client, int server) {
  int pipes[2];
  OPEN(ring);
  if (pipe(pipes)) return;
  send(client, "spliced out ", 12, 0);
  settle();
  struct io_uring_sqe *out = raw_transfer(&ring, IORING_OP_SPLICE, pipes[1], NULL, 100);
  out->splice_fd_in = server;
  out->splice_off_in = out->off = UINT64_MAX;
  raw_one(&ring, "from the connection");
  text("pipe", read(pipes[0], buffer, 100));
  if (write(pipes[1], "spliced in", 10) != 10) return;
  struct io_uring_sqe *in = raw_transfer(&ring, IORING_OP_SPLICE, server, NULL, 100);
  in->splice_fd_in = pipes[0];
  in->splice_off_in = in->off = UINT64_MAX;
  raw_one(&ring, "into the connection");
  settle();
  text("recv", recv(client, buffer, 100, 0));
}

/* ---- Readiness. */

static void uring_poll(int client, int server) {
  OPEN(ring);
  raw_entry(&ring, IORING_OP_POLL_ADD, server)->poll32_events = POLLIN;
  raw_submit(&ring, 0);
  settle();
  printf("silent %d\n", *WORD(&ring, cq_off.tail) == *WORD(&ring, cq_off.head));
  send(client, "x", 1, 0);
  completion("armed, then sent", raw_result(&ring));
  text("recv", recv(server, buffer, 100, 0));
  struct io_uring_sqe *many = raw_entry(&ring, IORING_OP_POLL_ADD, server);
  many->poll32_events = POLLIN;
  many->len = IORING_POLL_ADD_MULTI;
  raw_submit(&ring, 0);
  for (int i = 0; i < 3; i++) {
    send(client, "y", 1, 0);
    completion("multishot", raw_result(&ring));
    text("recv", recv(server, buffer, 100, 0));
  }
}

static void uring_poll_what_is_there(int client, int server) {
  OPEN(ring);
  send(client, "there", 5, 0);
  settle();
  raw_entry(&ring, IORING_OP_POLL_ADD, server)->poll32_events = POLLIN | POLLOUT;
  raw_one(&ring, "poll");
  text("recv", recv(server, buffer, 100, 0));
}

/* A set of the program's own that holds a connection, polled by the ring, and waited for there. */
static void uring_poll_set(int client, int server) {
  OPEN(ring);
  int set = epoll_create1(0);
  struct epoll_event wanted = { .events = EPOLLIN, .data.u64 = 0x1234567890 }, found;
  epoll_ctl(set, EPOLL_CTL_ADD, server, &wanted);
  raw_entry(&ring, IORING_OP_POLL_ADD, set)->poll32_events = POLLIN;
  raw_submit(&ring, 0);
  send(client, "x", 1, 0);
  completion("set", raw_result(&ring));
  report("epoll_wait", epoll_wait(set, &found, 1, 1000));
  printf("%x %llx\n", found.events, (unsigned long long)found.data.u64);
  struct io_uring_sqe *wait = raw_transfer(&ring, OP_EPOLL_WAIT, set, &found, 1);
  memset(&found, 0, sizeof found);
  wait->off = 0;
  raw_submit(&ring, 1);
  long result = raw_result(&ring);
  if (result != -EINVAL) completion("by the ring", result), printf("%x %llx\n", found.events, (unsigned long long)found.data.u64);
}

static long control(struct raw *ring, const char *what, int set, int operation, int fd, unsigned events, uint64_t data) {
  struct epoll_event wanted = { .events = events, .data.u64 = data };
  raw_transfer(ring, IORING_OP_EPOLL_CTL, set, &wanted, (unsigned)operation)->off = (uint64_t)fd;
  return raw_one(ring, what);
}

/* As libuv does: the connection stays in its ring. */
static void uring_epoll_ctl_in_the_ring(int client, int server) {
  OPEN(ring);
  int set = epoll_create1(EPOLL_CLOEXEC), plain = socket(AF_INET, SOCK_STREAM, 0);
  control(&ring, "add", set, EPOLL_CTL_ADD, server, EPOLLIN, 1);
  control(&ring, "add again", set, EPOLL_CTL_ADD, server, EPOLLIN, 2);
  show_set("nothing", set, 0);
  send(client, "x", 1, 0);
  show_set("something", set, 1000);
  text("recv", recv(server, buffer, 100, 0));
  control(&ring, "modify", set, EPOLL_CTL_MOD, server, EPOLLIN | EPOLLOUT, 3);
  show_set("room", set, 1000);
  control(&ring, "delete", set, EPOLL_CTL_DEL, server, 0, 0);
  control(&ring, "delete again", set, EPOLL_CTL_DEL, server, 0, 0);
  control(&ring, "modify what is not there", set, EPOLL_CTL_MOD, server, EPOLLIN, 0);
  control(&ring, "another kind", set, EPOLL_CTL_ADD, plain, EPOLLIN, 4);
  control(&ring, "not a set", server, EPOLL_CTL_ADD, client, EPOLLIN, 4);
  control(&ring, "itself", set, EPOLL_CTL_ADD, set, EPOLLIN, 4);
  control(&ring, "closed", set, EPOLL_CTL_ADD, 1000, EPOLLIN, 4);
  control(&ring, "another kind", set, EPOLL_CTL_DEL, plain, 0, 0);
  control(&ring, "one-shot", set, EPOLL_CTL_ADD, server, EPOLLIN | EPOLLONESHOT, 5);
  send(client, "y", 1, 0);
  settle();
  for (int i = 0; i < 2; i++) show_set("one-shot", set, 0);
  control(&ring, "rearm", set, EPOLL_CTL_MOD, server, EPOLLIN | EPOLLET, 6);
  for (int i = 0; i < 2; i++) show_set("edge", set, 0);
  for (int i = 0; i < 100; i++)
    if (send(client, buffer, 1000, 0) != 1000 || receive_all(server, buffer, 1000) != 1000) puts("lost");
}

/* Many at once, one of them wrong, and the same entries submitted once more as they are. */
static void uring_batch_in_the_ring(int client, int server) {
  OPEN(ring);
  int set = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event wanted[3] = { { .events = EPOLLIN, .data.u64 = 1 }, { .events = EPOLLIN, .data.u64 = 2 }, { .events = EPOLLIN, .data.u64 = 3 } };
  int operations[4] = { EPOLL_CTL_ADD, EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLL_CTL_DEL };
  for (int i = 0; i < 4; i++) raw_transfer(&ring, IORING_OP_EPOLL_CTL, set, wanted + i % 3, (unsigned)operations[i])->off = (uint64_t)server;
  for (int round = 0; round < 2; round++) {
    report("submitted", raw_submit(&ring, 4));
    for (int i = 0; i < 4; i++) completion("result", raw_result(&ring));
    for (int i = 0; i < 4; i++) {
      /* The places of the index array go on; the entries are where they were. */
      unsigned tail = *WORD(&ring, sq_off.tail) + (unsigned)i, mask = ring.given.sq_entries - 1;
      WORD(&ring, sq_off.array)[tail & mask] = mask - (unsigned)i;
      printf("opcode %d\n", ring.entries[mask - (unsigned)i].opcode);
    }
    ring.queued = 4;
  }
  for (int i = 0; i < 100; i++)
    if (send(client, buffer, 1000, 0) != 1000 || receive_all(server, buffer, 1000) != 1000) puts("lost");
}

static void uring_linked_epoll_ctl(int client, int server) {
  OPEN(ring);
  int set = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event wanted = { .events = EPOLLIN, .data.u64 = 7 };
  raw_entry(&ring, IORING_OP_NOP, -1)->flags = IOSQE_IO_LINK;
  raw_transfer(&ring, IORING_OP_EPOLL_CTL, set, &wanted, EPOLL_CTL_ADD)->off = (uint64_t)server;
  raw_submit(&ring, 2);
  completion("nop", raw_result(&ring));
  completion("add", raw_result(&ring));
  send(client, "x", 1, 0);
  show_set("linked", set, 1000);
  text("recv", recv(server, buffer, 100, 0));
  report("libc", epoll_ctl(set, EPOLL_CTL_ADD, server, &wanted));
  report("libc", epoll_ctl(set, EPOLL_CTL_DEL, server, &wanted));
}

/* ---- Ends. */

static void uring_shutdown(int client, int server) {
  OPEN(ring);
  send(client, "last", 4, 0);
  raw_transfer(&ring, IORING_OP_SHUTDOWN, client, NULL, SHUT_WR);
  raw_one(&ring, "shutdown");
  report("send", send(client, "x", 1, MSG_NOSIGNAL));
  text("recv", recv(server, buffer, 100, 0));
  report("end", recv(server, buffer, 100, 0));
  raw_transfer(&ring, IORING_OP_SHUTDOWN, client, NULL, 7);
  raw_one(&ring, "no such direction");
  send(server, "back", 4, 0);
  settle();
  text("recv", recv(client, buffer, 100, 0));
}

static void uring_close(int client, int server) {
  OPEN(ring);
  int set = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event wanted = { .events = EPOLLIN, .data.u64 = 7 };
  epoll_ctl(set, EPOLL_CTL_ADD, client, &wanted);
  send(client, "last", 4, 0);
  raw_entry(&ring, IORING_OP_CLOSE, client);
  raw_one(&ring, "close");
  report("send", send(client, "x", 1, 0));
  text("recv", recv(server, buffer, 100, 0));
  report("end", recv(server, buffer, 100, 0));
  show_set("closed", set, 0);
  int pipes[2];
  if (pipe(pipes)) return;
  printf("same number %d\n", pipes[0] == client);
  report("write", write(pipes[1], "pipe", 4));
  text("pipe", read(pipes[0], buffer, 100));
  raw_entry(&ring, IORING_OP_CLOSE, 999);
  raw_one(&ring, "nothing there");
  raw_entry(&ring, IORING_OP_CLOSE, ring.fd);
  raw_one(&ring, "the ring itself");
}

static void uring_linked_close(int client, int server) {
  OPEN(ring);
  send(client, "by send ", 8, 0);
  raw_transfer(&ring, IORING_OP_SEND, client, "linked", 6)->flags = IOSQE_IO_LINK;
  raw_entry(&ring, IORING_OP_SHUTDOWN, client)->flags = IOSQE_IO_LINK;
  raw_entry(&ring, IORING_OP_CLOSE, client);
  ring.entries[ring.given.sq_entries - 2].len = SHUT_WR;
  raw_submit(&ring, 3);
  for (int i = 0; i < 3; i++) completion("result", raw_result(&ring));
  printf("%zu", receive_all(server, buffer, 14));
  text("", 14);
  report("end", recv(server, buffer, 100, 0));
  report("send", send(client, "x", 1, 0));
}

static void uring_close_duplicate_in_the_ring(int client, int server) {
  OPEN(ring);
  int copy = dup(client);
  raw_entry(&ring, IORING_OP_CLOSE, copy);
  raw_one(&ring, "close");
  report("send", send(copy, "x", 1, 0));
  for (int i = 0; i < 100; i++)
    if (send(client, buffer, 1000, 0) != 1000 || receive_all(server, buffer, 1000) != 1000) puts("lost");
}

/* ---- Registered files. */

static void registered(int client, int server, int way) {
  OPEN(ring);
  int files[4] = { -1, -1, client, -1 }, one = client;
  struct io_uring_rsrc_update update = { .offset = 2, .data = (uint64_t)(uintptr_t)&one };
  struct io_uring_rsrc_update2 update2 = { .offset = 2, .data = (uint64_t)(uintptr_t)&one, .nr = 1 };
  struct io_uring_rsrc_register all = { .nr = 4, .data = (uint64_t)(uintptr_t)files };
  if (way != 0 && way != 2) files[2] = -1;
  send(client, "by send ", 8, 0);
  if (way == 2) report("register", syscall(SYS_io_uring_register, (long)ring.fd, (long)IORING_REGISTER_FILES2, &all, (long)sizeof all));
  else report("register", syscall(SYS_io_uring_register, (long)ring.fd, (long)IORING_REGISTER_FILES, files, 4L));
  if (way == 1) report("update", syscall(SYS_io_uring_register, (long)ring.fd, (long)IORING_REGISTER_FILES_UPDATE, &update, 1L));
  if (way == 3) report("update", syscall(SYS_io_uring_register, (long)ring.fd, (long)IORING_REGISTER_FILES_UPDATE2, &update2, (long)sizeof update2));
  if (way == 4) {
    raw_transfer(&ring, IORING_OP_FILES_UPDATE, -1, &one, 1)->off = 2;
    raw_one(&ring, "update");
  }
  report("close", close(client));
  raw_transfer(&ring, IORING_OP_SEND, 2, "by index ", 9)->flags = IOSQE_FIXED_FILE;
  raw_one(&ring, "sent");
  settle();
  text("recv", recv(server, buffer, 100, 0));
  send(server, "back", 4, 0);
  raw_transfer(&ring, IORING_OP_RECV, 2, buffer, 100)->flags = IOSQE_FIXED_FILE;
  text("received", raw_one(&ring, "result"));
  report("unregister", syscall(SYS_io_uring_register, (long)ring.fd, (long)IORING_UNREGISTER_FILES, NULL, 0L));
  report("end", recv(server, buffer, 100, 0));
}

static void uring_register_files(int client, int server) { registered(client, server, 0); }
static void uring_files_update(int client, int server) { registered(client, server, 1); }
static void uring_register_files2(int client, int server) { registered(client, server, 2); }
static void uring_files_update2(int client, int server) { registered(client, server, 3); }
static void uring_files_update_operation(int client, int server) { registered(client, server, 4); }

/* A descriptor passed by a message that the ring sends. */
static void uring_passes_a_descriptor(int client, int server) {
  OPEN(ring);
  int pair[2];
  char byte = 'x';
  union { char bytes[CMSG_SPACE(sizeof(int))]; struct cmsghdr header; } sent, got;
  struct iovec vector = { &byte, 1 };
  struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &sent, .msg_controllen = sizeof sent };
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair)) return;
  sent.header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
  memcpy(CMSG_DATA(&sent.header), &server, sizeof server);
  send(client, "before ", 7, 0);
  raw_transfer(&ring, IORING_OP_SENDMSG, pair[0], &message, 1);
  raw_one(&ring, "passed");
  message.msg_control = &got;
  raw_transfer(&ring, IORING_OP_RECVMSG, pair[1], &message, 1);
  raw_one(&ring, "taken");
  int taken;
  memcpy(&taken, CMSG_DATA(&got.header), sizeof taken);
  close(server);
  send(client, "after", 5, 0);
  settle();
  text("recv", syscall(SYS_read, taken, buffer, 100L));
}

/* ---- Every operation that there is or will be, on a connection of its own that has bytes unread in both directions. */

static void every_operation(int registered) {
  for (int opcode = 0; opcode < 80; opcode++) {
    int client, server;
    struct raw ring;
    if (!raw_open(&ring, 8, 0)) { puts("no io_uring here"); return; }
    connection(&client, &server);
    if (registered) syscall(SYS_io_uring_register, (long)ring.fd, (long)IORING_REGISTER_FILES, &client, 1L);
    send(client, "by send ", 8, 0);
    send(server, "back", 4, 0);
    memset(buffer, 0, 64);
    printf("operation %d", opcode);
    raw_transfer(&ring, (unsigned char)opcode, registered ? 0 : client, buffer, 8)->flags = registered ? IOSQE_FIXED_FILE : 0;
    raw_submit(&ring, 0);
    for (int i = 0; i < 500 && __atomic_load_n(WORD(&ring, cq_off.tail), __ATOMIC_ACQUIRE) == 0; i++) usleep(1000);
    if (*WORD(&ring, cq_off.tail) == 0) fputs(" waits", stdout);
    else printf(" %ld", raw_result(&ring));
    /* What is still to come of it comes before the end. */
    send(client, "after", 5, MSG_NOSIGNAL);
    shutdown(client, SHUT_WR);
    shutdown(server, SHUT_WR);
    size_t there = receive_all(server, buffer, 1000);
    printf(": there %.*s", (int)there, buffer);
    size_t back = receive_all(client, buffer, 1000);
    printf(", back %.*s\n", (int)back, buffer);
    close(client);
    close(server);
    munmap(ring.entries, ring.given.sq_entries * sizeof *ring.entries);
    close(ring.fd);
  }
}

static void uring_every_operation(int client, int server) { every_operation(0); (void)client; (void)server; }
static void uring_every_operation_by_index(int client, int server) { every_operation(1); (void)client; (void)server; }

const struct experiment uring_experiments[] = {
  { "uring_send_recv", uring_send_recv }, { "uring_write_read", uring_write_read }, { "uring_writev_readv", uring_writev_readv },
  { "uring_sendmsg_recvmsg", uring_sendmsg_recvmsg }, { "uring_zero_copy", uring_zero_copy }, { "uring_splice", uring_splice },
  { "uring_poll", uring_poll }, { "uring_poll_what_is_there", uring_poll_what_is_there }, { "uring_poll_set", uring_poll_set },
  { "uring_epoll_ctl_in_the_ring", uring_epoll_ctl_in_the_ring }, { "uring_batch_in_the_ring", uring_batch_in_the_ring },
  { "uring_linked_epoll_ctl", uring_linked_epoll_ctl }, { "uring_shutdown", uring_shutdown }, { "uring_close", uring_close },
  { "uring_linked_close", uring_linked_close }, { "uring_close_duplicate_in_the_ring", uring_close_duplicate_in_the_ring },
  { "uring_register_files", uring_register_files }, { "uring_files_update", uring_files_update },
  { "uring_register_files2", uring_register_files2 }, { "uring_files_update2", uring_files_update2 },
  { "uring_files_update_operation", uring_files_update_operation }, { "uring_passes_a_descriptor", uring_passes_a_descriptor },
  { "uring_every_operation", uring_every_operation }, { "uring_every_operation_by_index", uring_every_operation_by_index }, { 0 } };
