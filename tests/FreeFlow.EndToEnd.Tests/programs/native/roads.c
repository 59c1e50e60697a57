/* Roads into a connection that pass the interposed calls by: inside libc, through libc's syscall(), asynchronous I/O. */
#include "experiment.h"

#include <aio.h>
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>

static char buffer[200000];

static void show(const char *what, long length) {
  if (report(what, length) > 0) printf("  %.*s\n", (int)length, buffer);
}

static int formatted(int fd, const char *format, ...) {
  va_list list;
  va_start(list, format);
  int result = vdprintf(fd, format, list);
  va_end(list);
  return result;
}

static void printed_to_a_descriptor(int client, int server) {
  send(client, "send ", 5, 0);
  report("dprintf", dprintf(client, "%s %d ", "dprintf", 1));
  send(client, "send ", 5, 0);
  report("vdprintf", formatted(client, "%5.2f|%c ", 3.14159, 'x'));
  report("nothing", dprintf(client, "%s", ""));
  report("much", dprintf(client, "%20000d", 1));
  send(client, "end", 3, 0);
  shutdown(client, SHUT_WR);
  size_t got = receive_all(server, buffer, sizeof buffer);
  printf("%zu %.30s ... %.8s\n", got, buffer, buffer + got - 8);
  signal(SIGPIPE, SIG_IGN);
  report("after shutdown", dprintf(client, "x"));
}

static void stream_reads_what_is_left(int client, int server) {
  char *line = NULL;
  size_t room = 0;
  send(client, "first line\nsecond line\nthird", 28, 0);
  close(client);
  settle();
  show("by hand", recv(server, buffer, 6, 0));
  FILE *stream = fdopen(server, "r");
  printf("same number %d\n", fileno(stream) == server);
  while (getline(&line, &room, stream) > 0) printf("[%s]\n", line);
  printf("end %d error %d\n", feof(stream) != 0, ferror(stream) != 0);
}

static void stream_between_calls(int client, int server) {
  char line[100];
  send(client, "one\n", 4, 0);
  FILE *out = fdopen(dup(client), "w"), *in = fdopen(dup(server), "r");
  fprintf(out, "two\n");
  fflush(out);
  send(client, "three\n", 6, 0);
  for (int i = 0; i < 3; i++) printf("%s", fgets(line, sizeof line, in));
  fprintf(out, "four");
  report("fclose", fclose(out));
  close(client);
  printf("%s|\n", fgets(line, sizeof line, in));
  printf("%d\n", fgets(line, sizeof line, in) == NULL);
}

static void system_calls_by_number(int client, int server) {
  struct iovec vector = { "vectors ", 8 };
  send(client, "send ", 5, 0);
  report("write", syscall(SYS_write, client, "write ", 6L));
  send(client, "send ", 5, 0);
  report("sendto", syscall(SYS_sendto, client, "sendto ", 7L, 0L, NULL, 0L));
  report("writev", syscall(SYS_writev, client, &vector, 1L));
  send(client, "end", 3, 0);
  settle();
  show("read", syscall(SYS_read, server, buffer, 10L));
  show("recvfrom", syscall(SYS_recvfrom, server, buffer, 5L, 0L, NULL, NULL));
  show("recv", recv(server, buffer, 100, 0));
  report("close", syscall(SYS_close, client));
  report("end", recv(server, buffer, 100, 0));
  report("errno", syscall(SYS_read, client, buffer, 10L));
}

static void await(struct aiocb *one) {
  const struct aiocb *list[1] = { one };
  while (aio_error(one) == EINPROGRESS) aio_suspend(list, 1, NULL);
}

static void posix_aio(int client, int server) {
  char text[] = "by aio ";
  struct aiocb out = { .aio_fildes = client, .aio_buf = text, .aio_nbytes = 7 }, in = { .aio_fildes = server, .aio_buf = buffer, .aio_nbytes = 100 };
  send(client, "by send ", 8, 0);
  report("aio_write", aio_write(&out));
  await(&out);
  report("written", aio_return(&out));
  send(client, "end", 3, 0);
  settle();
  report("aio_read", aio_read(&in));
  await(&in);
  show("read", aio_return(&in));
  report("more", aio_read(&in));
  settle();
  printf("waits %d\n", aio_error(&in) == EINPROGRESS);
  send(client, "more", 4, 0);
  await(&in);
  show("read", aio_return(&in));
}

static void posix_aio_list(int client, int server) {
  char text[] = "by list";
  struct aiocb out = { .aio_fildes = client, .aio_buf = text, .aio_nbytes = 7, .aio_lio_opcode = LIO_WRITE };
  struct aiocb *list[2] = { NULL, &out };
  send(client, "by send ", 8, 0);
  report("lio_listio", lio_listio(LIO_WAIT, list, 2, NULL));
  settle();
  show("recv", recv(server, buffer, 100, 0));
}

static void kernel_aio(int client, int server) {
  aio_context_t context = 0;
  struct io_event event;
  struct iocb out = { .aio_fildes = (uint32_t)client, .aio_lio_opcode = IOCB_CMD_PWRITE, .aio_buf = (uint64_t)(uintptr_t)"by aio ", .aio_nbytes = 7 };
  struct iocb in = { .aio_fildes = (uint32_t)server, .aio_lio_opcode = IOCB_CMD_PREAD, .aio_buf = (uint64_t)(uintptr_t)buffer, .aio_nbytes = 100 };
  struct iocb *list[1] = { &out };
  if (report("io_setup", syscall(SYS_io_setup, 8L, &context)) < 0) return;
  send(client, "by send ", 8, 0);
  report("write", syscall(SYS_io_submit, context, 1L, list));
  syscall(SYS_io_getevents, context, 1L, 1L, &event, NULL);
  send(client, "end", 3, 0);
  settle();
  list[0] = &in;
  report("read", syscall(SYS_io_submit, context, 1L, list));
  syscall(SYS_io_getevents, context, 1L, 1L, &event, NULL);
  show("bytes", event.res);
}

static void io_uring(int client, int server) {
  struct io_uring_params given = { 0 };
  int ring = (int)syscall(SYS_io_uring_setup, 4L, &given);
  if (ring < 0) { puts("no io_uring here"); return; }
  char *head = mmap(NULL, given.sq_off.array + given.sq_entries * 4, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
  char *done = mmap(NULL, given.cq_off.cqes + given.cq_entries * sizeof(struct io_uring_cqe), PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_CQ_RING);
  struct io_uring_sqe *entries = mmap(NULL, given.sq_entries * sizeof *entries, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);
  for (unsigned i = 0; i < 3; i++) {
    int sends = i == 0;
    if (sends) send(client, "by send ", 8, 0);
    entries[i] = (struct io_uring_sqe){ .opcode = sends ? IORING_OP_SEND : IORING_OP_RECV, .fd = sends ? client : server, .addr = (uint64_t)(uintptr_t)buffer, .len = sends ? 8 : 100 };
    if (sends) memcpy(buffer, "by ring ", 8);
    ((unsigned *)(head + given.sq_off.array))[i] = i;
    __atomic_store_n((unsigned *)(head + given.sq_off.tail), i + 1, __ATOMIC_RELEASE);
    report("submitted", syscall(SYS_io_uring_enter, ring, 1L, 1L, (long)IORING_ENTER_GETEVENTS, NULL, 0L));
    struct io_uring_cqe *event = (struct io_uring_cqe *)(done + given.cq_off.cqes) + i;
    if (sends) report("sent", event->res);
    else show("received", event->res);
    __atomic_store_n((unsigned *)(done + given.cq_off.head), i + 1, __ATOMIC_RELEASE);
    send(client, sends ? "end" : "more", sends ? 3 : 4, 0);
    settle();
  }
  show("rest", recv(server, buffer, 100, 0));
}

const struct experiment road_experiments[] = {
  { "printed_to_a_descriptor", printed_to_a_descriptor }, { "stream_reads_what_is_left", stream_reads_what_is_left }, { "stream_between_calls", stream_between_calls },
  { "system_calls_by_number", system_calls_by_number }, { "posix_aio", posix_aio }, { "posix_aio_list", posix_aio_list }, { "kernel_aio", kernel_aio },
  { "io_uring", io_uring }, { 0 } };
