/*
 * usage: experiment list | NAME
 * Makes a TCP connection with itself, sends some bytes both ways, prints "ready", waits for a line, does NAME, prints "done". One that ends in
 * "_in_the_ring" waits for another line then, so that the connection can be looked at.
 */
#include "experiment.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static const struct experiment *const all[] = { thread_experiments, signal_experiments, pointer_experiments, call_experiments, copying_experiments, road_experiments,
  end_experiments, set_experiments, wait_experiments, number_experiments, report_experiments, limit_experiments, buffer_experiments,
  uring_experiments, uring_kind_experiments };

long report(const char *what, long result) {
  if (result >= 0) printf("%s: %ld\n", what, result);
  else printf("%s: %s\n", what, strerrorname_np(errno));
  return result;
}

size_t receive_all(int fd, void *buffer, size_t count) {
  size_t done = 0;
  while (done < count) {
    ssize_t step = recv(fd, (char *)buffer + done, count - done, 0);
    if (step < 0 && errno == EINTR) continue;
    if (step <= 0) break;
    done += (size_t)step;
  }
  return done;
}

void connection(int *client, int *server) {
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
  socklen_t length = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listener, (struct sockaddr *)&address, length) || listen(listener, 1) || getsockname(listener, (struct sockaddr *)&address, &length)) abort();
  *client = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(*client, (struct sockaddr *)&address, length)) abort();
  *server = accept(listener, NULL, NULL);
  close(listener);
  char buffer[16];
  for (int i = 0; i < 4; i++) {
    if (send(*client, "warm up", 7, 0) != 7 || recv(*server, buffer, sizeof buffer, 0) != 7) abort();
    if (send(*server, "warm up", 7, 0) != 7 || recv(*client, buffer, sizeof buffer, 0) != 7) abort();
  }
}

int main(int argc, char **argv) {
  int client, server, listing = argc < 2 || strcmp(argv[1], "list") == 0;
  void (*run)(int, int) = NULL;
  for (size_t group = 0; group < sizeof all / sizeof *all; group++)
    for (const struct experiment *one = all[group]; one->name; one++) {
      if (listing) puts(one->name);
      else if (strcmp(argv[1], one->name) == 0) run = one->run;
    }
  if (listing) return 0;
  if (!run) return 2;
  alarm(20);
  connection(&client, &server);
  puts("ready");
  fflush(stdout);
  if (getchar() == EOF) return 3;
  run(client, server);
  puts("done");
  fflush(stdout);
  const char *end = strstr(argv[1], "_in_the_ring");
  if (end && getchar() == EOF) return 3;
  _exit(0);
}
