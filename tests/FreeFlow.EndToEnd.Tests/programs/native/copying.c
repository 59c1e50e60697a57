/* sendfile, splice, tee, vmsplice, copy_file_range. */
#include "experiment.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

static char buffer[1 << 20];

static int file_of(size_t bytes) {
  int fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);
  for (size_t i = 0; i < bytes; i++) buffer[i] = (char)(i * 7 + i / 256);
  if (fd < 0 || write(fd, buffer, bytes) != (ssize_t)bytes) abort();
  lseek(fd, 0, SEEK_SET);
  return fd;
}

static void *receive_everything(void *fd) {
  static unsigned sum;
  char part[5000];
  for (ssize_t n; (n = recv(*(int *)fd, part, sizeof part, 0)) > 0;)
    for (ssize_t i = 0; i < n; i++) sum = sum * 31 + (unsigned char)part[i];
  return &sum;
}

static void sendfile_calls(int client, int server) {
  int file = file_of(300000), ends[2];
  off_t offset = 100, negative = -1, beyond = 400000;
  pthread_t thread;
  void *sum;
  if (pipe(ends)) abort();
  pthread_create(&thread, NULL, receive_everything, &server);
  report("at an offset", sendfile(client, file, &offset, 1000));
  printf("offset %ld position %ld\n", (long)offset, (long)lseek(file, 0, SEEK_CUR));
  report("from the position", sendfile(client, file, NULL, 1000));
  printf("position %ld\n", (long)lseek(file, 0, SEEK_CUR));
  report("nothing", sendfile(client, file, NULL, 0));
  report("all of it", sendfile(client, file, NULL, 1000000));
  report("at the end", sendfile(client, file, NULL, 1000000));
  report("negative", sendfile(client, file, &negative, 10));
  report("beyond", sendfile(client, file, &beyond, 10));
  report("too much", sendfile(client, file, NULL, (size_t)-1));
  report("a pipe", sendfile(client, ends[0], NULL, 10));
  report("a pipe at an offset", sendfile(client, ends[0], &offset, 10));
  report("a socket", sendfile(client, server, NULL, 10));
  report("nobody", sendfile(client, -1, NULL, 10));
  int writer = open("/dev/null", O_WRONLY), zero = open("/dev/zero", O_RDONLY);
  report("write-only", sendfile(client, writer, NULL, 10));
  report("zeroes", sendfile(client, zero, NULL, 10));
  shutdown(client, SHUT_WR);
  report("after shutdown", (signal(SIGPIPE, SIG_IGN), sendfile(client, file, &offset, 10)));
  pthread_join(thread, &sum);
  printf("sum %u\n", *(unsigned *)sum);
}

static void sendfile_that_does_not_fit(int client, int server) {
  int file = file_of(1 << 20);
  ssize_t step, total = 0, received = 0;
  fcntl(client, F_SETFL, O_NONBLOCK);
  for (int i = 0; i < 1000 && (step = sendfile(client, file, &(off_t){ 0 }, 1 << 20)) > 0; i++) total += step;
  report("full", step);
  while (received < total) {
    ssize_t got = recv(server, buffer, sizeof buffer, 0);
    if (got <= 0) break;
    received += got;
  }
  printf("all %d\n", received == total);
  settle();
  report("again", sendfile(client, file, &(off_t){ 5 }, 10));
}

static void sendfile_from_a_socket_into_a_pipe(int client, int server) {
  int ends[2];
  if (pipe(ends)) abort();
  send(client, "through", 7, 0);
  settle();
  if (report("sendfile", sendfile(ends[1], server, NULL, 100)) > 0) report("read", read(ends[0], buffer, 100));
}

static void splice_errors(int client, int server) {
  int ends[2], file = file_of(100);
  loff_t offset = 0;
  if (pipe(ends)) abort();
  write(ends[1], "text", 4);
  report("from a file", splice(file, NULL, client, NULL, 10, 0));
  report("from a socket", splice(server, NULL, client, NULL, 10, SPLICE_F_NONBLOCK));
  report("pipe at an offset", splice(ends[0], &offset, client, NULL, 10, 0));
  report("socket at an offset", splice(ends[0], NULL, client, &offset, 10, 0));
  report("from the wrong end", splice(ends[1], NULL, client, NULL, 10, 0));
  report("into the wrong end", splice(server, NULL, ends[0], NULL, 10, SPLICE_F_NONBLOCK));
  report("from a socket at an offset", splice(server, &offset, ends[1], NULL, 10, 0));
  report("wrong flags", splice(ends[0], NULL, client, NULL, 10, 0x100));
  report("nothing", splice(ends[0], NULL, client, NULL, 0, 0));
  report("splice", splice(ends[0], NULL, client, NULL, 10, SPLICE_F_MOVE));
  report("tee", tee(server, ends[1], 10, 0));
  report("vmsplice", vmsplice(client, &(struct iovec){ "x", 1 }, 1, 0));
  report("copy_file_range", copy_file_range(file, NULL, client, NULL, 10, 0));
  report("copy_file_range out", copy_file_range(server, NULL, file, NULL, 10, 0));
  settle();
  report("recv", recv(server, buffer, 100, MSG_DONTWAIT));
}

static void splice_without_waiting(int client, int server) {
  int ends[2];
  if (pipe(ends)) abort();
  report("empty pipe", splice(ends[0], NULL, client, NULL, 10, SPLICE_F_NONBLOCK));
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  report("empty pipe, its own flag", splice(ends[0], NULL, client, NULL, 10, 0));
  fcntl(server, F_SETFL, O_NONBLOCK);
  report("empty socket", splice(server, NULL, ends[1], NULL, 10, 0));
  send(client, buffer, 200000, 0);
  settle();
  fcntl(ends[1], F_SETFL, O_NONBLOCK);
  ssize_t total = 0, step;
  while ((step = splice(server, NULL, ends[1], NULL, 200000, SPLICE_F_NONBLOCK)) > 0) total += step;
  report("full pipe", step);
  printf("some %d\n", total > 0);
  while ((step = read(ends[0], buffer, sizeof buffer)) > 0) total -= step;
  printf("all of it %ld\n", (long)total);
  close(ends[1]);
  report("no writer", splice(ends[0], NULL, client, NULL, 10, 0));
}

static void *send_later(void *fd) {
  settle();
  send(*(int *)fd, "late", 4, 0);
  settle();
  close(*(int *)fd);
  return NULL;
}

/* SPLICE_F_NONBLOCK speaks of the pipe. */
static void splice_waits_for_the_socket(int client, int server) {
  int ends[2];
  pthread_t thread;
  if (pipe(ends)) abort();
  pthread_create(&thread, NULL, send_later, &client);
  report("splice", splice(server, NULL, ends[1], NULL, 100, SPLICE_F_NONBLOCK));
  report("end", splice(server, NULL, ends[1], NULL, 100, 0));
  report("read", read(ends[0], buffer, 100));
  pthread_join(thread, NULL);
}

struct pump { int from, to; };

static void *pump(void *of) {
  struct pump *pump = of;
  while (splice(pump->from, NULL, pump->to, NULL, 50000, SPLICE_F_MOVE) > 0) { }
  close(pump->to);
  return NULL;
}

static void splice_much(int client, int server) {
  int in[2], out[2];
  pthread_t threads[2];
  unsigned sum = 0, expected = 0;
  if (pipe(in) || pipe(out)) abort();
  pthread_create(&threads[0], NULL, pump, &(struct pump){ in[0], client });
  pthread_create(&threads[1], NULL, pump, &(struct pump){ server, out[1] });
  for (int i = 0; i < 300; i++) {
    char part[777];
    memset(part, i, sizeof part);
    for (size_t k = 0; k < sizeof part; k++) expected = expected * 31 + (unsigned char)i;
    if (write(in[1], part, sizeof part) != sizeof part) abort();
  }
  close(in[1]);
  for (ssize_t n; (n = read(out[0], buffer, sizeof buffer)) > 0;)
    for (ssize_t k = 0; k < n; k++) sum = sum * 31 + (unsigned char)buffer[k];
  printf("same %d\n", sum == expected);
}

const struct experiment copying_experiments[] = {
  { "sendfile_calls", sendfile_calls }, { "sendfile_that_does_not_fit", sendfile_that_does_not_fit },
  { "sendfile_from_a_socket_into_a_pipe", sendfile_from_a_socket_into_a_pipe }, { "splice_errors", splice_errors },
  { "splice_without_waiting", splice_without_waiting }, { "splice_waits_for_the_socket", splice_waits_for_the_socket }, { "splice_much", splice_much }, { 0 } };
