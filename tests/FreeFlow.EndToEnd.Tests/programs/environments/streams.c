/*
 * streams SEED: a used connection becomes standard input, output or error of its program in some way and order, and libc's own streams talk on it. What each side saw
 * comes to the first standard output. A seed makes a program: which numbers, how they come to be, what is unread then, whether the peer has ended its stream, or sleeps
 * elsewhere, which calls, and whether the program becomes a daemon in between, with its streams or without.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wchar.h>

enum { REPORT = 90, ORDERS = 91, DONE = 92, ALIVE = 93, LINE = 12 };

static unsigned state;
static unsigned any(unsigned below) { return (state = state * 1103515245u + 12345u) >> 8 & 0xffffff ? (state >> 10) % below : 0; }

static void say(const char *format, ...) {
  char text[400];
  va_list list;
  va_start(list, format);
  int length = vsnprintf(text, sizeof text, format, list);
  va_end(list);
  if (write(REPORT, text, (size_t)length) != length) _exit(90);
}

static void quit(int signal) { (void)signal; say("hangs\n"); _exit(99); }

/*
 * ---- The peer does what it is told, and looks at its connection meanwhile, as a server does, unless it is told to sleep elsewhere (b): s: sends a line; h: ends its stream;
 * r: receives a line; e: receives until the end.
 */

static void peer(int fd) {
  char order, text[4000];
  for (int lines = 0, got, elsewhere = 0;;) {
    struct pollfd both[2] = { { ORDERS, POLLIN, 0 }, { fd, POLLPRI, 0 } };
    while (!elsewhere && !(both[0].revents & (POLLIN | POLLHUP))) poll(both, both[1].revents ? 1 : 2, -1);
    if (read(ORDERS, &order, 1) != 1) break;
    switch (order) {
      case 's': snprintf(text, sizeof text, "line %6d\n", ++lines); if (send(fd, text, LINE, MSG_NOSIGNAL) != LINE) say("peer: send %d\n", errno); break;
      case 'h': shutdown(fd, SHUT_WR); break;
      case 'b': elsewhere = 1; break;
      case 'r':
        for (got = 0; got == 0 || text[got - 1] != '\n'; got++)
          if (recv(fd, text + got, 1, 0) != 1) { say("peer: end within a line\n"); break; }
        say("peer: %.*s", got, text);
        break;
      case 'e':
        for (got = 0;;) {
          long step = recv(fd, text + got, sizeof text - (size_t)got, 0);
          if (step <= 0) { say("peer: %.*s, end %s\n", got, text, step == 0 ? "0" : strerrorname_np(errno)); break; }
          got += (int)step;
        }
        break;
    }
    if (write(DONE, "", 1) != 1) break;
  }
  _exit(0);
}

static void order(char what) {
  char done;
  if (write(ORDERS, &what, 1) != 1 || read(DONE, &done, 1) != 1) _exit(91);
}

/* ---- The program. */

static int numbers[3], count;

static void take(unsigned way, int fd, int number) {
  close(number);
  switch (way) {
    case 0: dup2(fd, number); break;
    case 1: dup3(fd, number, 0); break;
    case 2: dup(fd); break;   /* The lowest free number. */
    default: fcntl(fd, F_DUPFD, number); break;
  }
}


static void await_input(int fd) {
  struct pollfd one = { fd, POLLIN, 0 };
  poll(&one, 1, -1);
}

/* Small messages may come one by one (Nagle's rule). */
static void await_bytes(int fd, int bytes) {
  for (int there = 0; there < bytes; ioctl(fd, FIONREAD, &there)) await_input(fd);
}

static void read_by(unsigned way) {
  char text[100] = "", *line = NULL;
  size_t room = 0;
  int number = 0;
  switch (way) {
    case 0: say("fgets %s", fgets(text, sizeof text, stdin) ? text : "end\n"); break;
    case 1: { ssize_t got = getline(&line, &room, stdin); say("getline %zd %s", got, got > 0 ? line : "end\n"); free(line); break; }
    case 2: { int got = scanf("line %d", &number); say("scanf %d %d rest %d\n", got, number, getchar()); break; }
    case 3: for (int byte; (byte = getc(stdin)) != EOF;) { number += byte; if (byte == '\n') break; } say("getc %d\n", number); break;
    case 4: { size_t got = fread(text, 1, LINE, stdin); say("fread %zu %s\n", got, text); break; }
    default: { size_t got = fread(text, 3, LINE / 3, stdin); say("fread %zu %s", got, text); break; }
  }
}

/* The same with wide characters: once a stream has such an orientation it has no other. */
static int wide;

static void read_wide_by(unsigned way) {
  wchar_t text[100] = L"";
  int number = 0;
  switch (way % 3) {
    case 0: say("fgetws %ls", fgetws(text, 100, stdin) ? text : L"end\n"); break;
    case 1: for (wint_t one; (one = getwc(stdin)) != WEOF;) { number += (int)one; if (one == L'\n') break; } say("getwc %d\n", number); break;
    default: { int got = wscanf(L"line %d", &number); say("wscanf %d %d rest %d\n", got, number, (int)getwchar()); break; }
  }
}

static void write_wide_by(unsigned way) {
  switch (way % 3) {
    case 0: wprintf(L"wprintf %d\n", 1); break;
    case 1: fputws(L"fputws\n", stdout); break;
    default: putwchar(L'w'); putwc(L'\n', stdout); break;
  }
  fflush(stdout);
}

static void write_by(unsigned way, int number) {
  FILE *stream = number == 2 ? stderr : stdout;
  errno = ENOENT;
  switch (number == 2 ? 5 + way : way) {
    case 0: printf("printf %d\n", number); fflush(stdout); break;
    case 1: puts("puts"); fflush(stdout); break;
    case 2: fputs("fputs\n", stream); fflush(stream); break;
    case 3: fwrite("fwrite\n", 1, 7, stream); fflush(stream); break;
    case 4: putchar('p'); putchar('\n'); fflush(stdout); break;
    case 5: perror("perror"); break;
    case 6: psignal(SIGTERM, "psignal"); break;
    case 7: warn("warn"); break;
    case 8: fprintf(stderr, "fprintf %d\n", 8); break;
    default: write(2, "write\n", 6); break;
  }
}

/* A daemon's first process ends at once; this one ends when all have let go of the pipe. */
static void outlive(void) {
  int alive[2];
  char none;
  if (pipe(alive)) _exit(91);
  if (fork() == 0) { dup2(alive[1], ALIVE); close(alive[0]); close(alive[1]); return; }
  close(alive[1]);
  while (read(alive[0], &none, 1) > 0) { }
  _exit(0);
}

int main(int argc, char **argv) {
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
  socklen_t length = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM, 0), orders[2], done[2];
  char text[LINE];
  state = argc > 1 ? (unsigned)atoi(argv[1]) : 1;
  for (int i = 0; i < 4; i++) any(2);
  wide = state % 4 == 0;
  outlive();
  if (bind(listener, (void *)&address, length) || listen(listener, 2) || getsockname(listener, (void *)&address, &length)) return 1;
  dup2(1, REPORT);
  if (pipe(orders) || pipe(done)) return 1;
  signal(SIGALRM, quit);
  alarm(10);
  unsigned how = any(6), way = any(4), mixture = any(6), unread = any(3), ended = any(3) == 0, keeps = any(4) == 0, last = any(4);
  unsigned busy = any(3) == 0, daemons = any(6), daemon_at = any(12);
  pid_t child = fork();
  if (child == 0) {
    dup2(orders[0], ORDERS);
    dup2(done[1], DONE);
    close(listener); close(orders[0]); close(orders[1]); close(done[0]); close(done[1]);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (void *)&address, sizeof address)) return 2;
    for (int i = 0; i < 20; i++)
      if (send(fd, "used before\n", LINE, 0) != LINE || recv(fd, text, LINE, MSG_WAITALL) != LINE) return 3;
    peer(fd);
  }
  dup2(orders[1], ORDERS);
  dup2(done[0], DONE);
  close(orders[0]); close(orders[1]); close(done[0]); close(done[1]);
  static const int mixtures[6][4] = { { 2, 0, 1 }, { 2, 1, 0 }, { 1, 0 }, { 1, 1 }, { 3, 0, 1, 2 }, { 3, 2, 1, 0 } };
  count = mixtures[mixture][0];
  memcpy(numbers, mixtures[mixture] + 1, sizeof(int) * 3);
  if (how == 0) {
    /* A program that has closed its standard descriptors and is given one of the numbers by the kernel. */
    count = 1;
    close(numbers[0]);
    if (numbers[0] != 0) close(0);
    numbers[0] = 0;
  }
  int fd = accept(listener, NULL, NULL);
  close(listener);
  for (int i = 0; i < 20; i++)
    if (recv(fd, text, LINE, MSG_WAITALL) != LINE || send(fd, text, LINE, 0) != LINE) return 4;
  for (unsigned i = 0; i < unread; i++) order('s');
  if (ended && !unread) order('h');
  if (unread) await_bytes(fd, (int)unread * LINE);
  if (busy) order('b');
  if (how != 0) for (int i = 0; i < count; i++) take(way, fd, numbers[i]);
  if (ended && unread) order('h');
  if (how != 0 && !keeps) close(fd);
  say("seed %s: number %d, way %u, mixture %u, unread %u, ended %u, keeps %u, busy %u, daemons %u\n", argv[1], fd == 0 ? 0 : 9, way, mixture, unread, ended, keeps, busy, daemons);

  for (unsigned step = 0, lines = unread; step < 12; step++) {
    if (daemons < 2 && step == daemon_at) {
      say("daemon %d\n", daemon(1, daemons));
      alarm(10);
      if (!daemons) count = 0;   /* The standard streams are /dev/null's from now on. */
    }
    if (count == 0) {
      if (keeps && how != 0 && send(fd, "daemon's\n", 9, 0) == 9) order('r');
      continue;
    }
    int number = numbers[any((unsigned)count)];
    if (number == 0 && any(2)) {
      if (lines == 0 && !ended) { order('s'); lines++; }
      if (lines > 0) lines--;
      unsigned call = any(6);
      if (wide) read_wide_by(call);
      else read_by(call);
    } else if (number != 0) {
      unsigned call = any(5);
      if (wide && number == 1) write_wide_by(call);
      else write_by(call, number);
      order('r');
    } else if (keeps && any(2)) {
      if (send(fd, "by name\n", 8, 0) == 8) order('r');
    }
  }

  /* The end: closed by the kernel, by libc, or replaced; with bytes unread or not. */
  int open = count ? numbers[0] : keeps && how != 0 ? fd : -1;
  if (!ended && open >= 0 && any(2)) { order('s'); await_input(open); }
  if (keeps && how != 0) close(fd);
  for (int i = 0; i < count; i++) {
    FILE *stream = numbers[i] == 0 ? stdin : numbers[i] == 1 ? stdout : stderr;
    switch ((last + (unsigned)i) % 3) {
      case 0: say("close %d\n", close(numbers[i])); break;
      case 1: say("fclose %d\n", fclose(stream)); break;
      default: say("freopen %d\n", freopen("/dev/null", numbers[i] == 0 ? "r" : "w", stream) == stream); break;
    }
  }
  order('e');
  close(ORDERS);
  waitpid(child, NULL, 0);
  say("done\n");
  _exit(0);
}
