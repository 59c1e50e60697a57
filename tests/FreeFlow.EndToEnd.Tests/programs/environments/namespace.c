/* A connection that is worked on from a namespace of the loader's own, whose libc has an errno of its own. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int count, char **arguments) {
  int before = count > 2, listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
  socklen_t length = sizeof address;
  void *library = before ? dlmopen(LM_ID_NEWLM, arguments[1], RTLD_NOW) : NULL;
  if (bind(listener, (void *)&address, length) || listen(listener, 1) || getsockname(listener, (void *)&address, &length) || connect(client, (void *)&address, length)) return 1;
  int server = accept(listener, NULL, NULL);
  char text[100] = "";
  for (int i = 0; i < 20; i++)
    if (send(client, "warm", 4, 0) != 4 || recv(server, text, 4, MSG_WAITALL) != 4 || send(server, "warm", 4, 0) != 4 || recv(client, text, 4, MSG_WAITALL) != 4) return 2;
  send(client, "unread ", 7, 0);
  if (!library) library = dlmopen(LM_ID_NEWLM, arguments[1], RTLD_NOW);
  if (!library) { puts(dlerror()); return 3; }
  long (*put)(int, const void *, size_t) = (long (*)(int, const void *, size_t))dlsym(library, "put");
  long (*get)(int, void *, size_t) = (long (*)(int, void *, size_t))dlsym(library, "get");
  int *(*error)(void) = (int *(*)(void))dlsym(library, "error_of_this_libc");
  printf("%ld\n", put(client, "put ", 4));
  printf("%zd\n", send(client, "sent", 4, 0));
  memset(text, 0, sizeof text);
  usleep(50000);
  long got = get(server, text, sizeof text);
  printf("%ld %s\n", got, text);
  printf("%zd %d\n", recv(server, text, sizeof text, MSG_DONTWAIT), errno);
  *error() = 0;
  printf("%ld %d\n", put(-1, "", 1), *error());
  return 0;
}
