#include "memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

enum { FILE_BYTES = 1000 };

static int file(void) {
  int fd = memfd_create("file", MFD_CLOEXEC);
  char bytes[FILE_BYTES];
  for (int i = 0; i < FILE_BYTES; i++) bytes[i] = (char)(i * 3);
  if (write(fd, bytes, FILE_BYTES) != FILE_BYTES || lseek(fd, 10, SEEK_SET) != 10) abort();
  return fd;
}

static void run_sendfile(struct connection *c) {
  int source = file();
  off_t offset = ANY_OF(0, 5, 990, 1000, 5000, -5, 0x7fffffffffffffff), *at = one_in(4) ? NULL : place("offset", &offset, sizeof offset);
  size_t count = (size_t)ANY_OF(0, 1, 10, 100, -1);
  printf(" offset=%ld count=%zd", (long)offset, count);
  answer(CALL(sendfile, c->subject, source, at, count));
  printf(" position %ld", (long)lseek(source, 0, SEEK_CUR));
  close(source);
}

static void run_splice(struct connection *c) {
  int pipes[2];
  char taken[64] = { 0 };
  if (pipe2(pipes, O_NONBLOCK) != 0 || write(pipes[1], "spliced", 7) != 7) abort();
  off64_t offset = 0, *at = one_in(2) ? NULL : place("offset", &offset, sizeof offset), *other = one_in(3) ? place("other", &offset, sizeof offset) : NULL;
  size_t count = (size_t)ANY_OF(0, 1, 7, 100, -1);
  unsigned flags = (unsigned)ANY_OF(0, SPLICE_F_NONBLOCK, SPLICE_F_MOVE, 0x10, -1);
  int out = one_in(2);
  printf(" %s count=%zd flags=%x", out ? "out" : "in", count, flags);
  if (out) answer(CALL(splice, pipes[0], at, c->subject, other, count, flags));
  else answer(CALL(splice, c->subject, at, pipes[1], other, count, flags));
  printf(" pipe %zd", read(pipes[0], taken, sizeof taken));
  close(pipes[0]);
  close(pipes[1]);
}

const struct call copying_calls[] = { { "sendfile", run_sendfile }, { "splice", run_splice }, { 0 } };
