// probe: the small measuring programs of "make bench". They use nothing but the C library and know nothing of FreeFlow.
// An address beginning with '/' is a Unix socket's path; any other is an IPv4 address with a TCP port.
#ifndef PROBE_H
#define PROBE_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

void die(const char *what);                              // message with errno, exit 1
int listen_on(const char *address, int port);            // listening socket
int accept_one(int listener);                            // connection, without Nagle's delay
int connect_to(const char *address, int port);           // connection, without Nagle's delay; tries for 5 s
void send_all(int fd, const void *data, size_t bytes);
int receive_all(int fd, void *data, size_t bytes);       // 0 at the end of the stream
uint64_t now(clockid_t clock);                           // ns
void allow_many_descriptors(void);                       // the soft limit becomes the hard one
void watch(int epoll, int fd);                           // for input, level triggered

int pair(int argc, char **argv);
int pong(int argc, char **argv);
int ping(int argc, char **argv);
int sink(int argc, char **argv);
int source(int argc, char **argv);
int hold(int argc, char **argv);
int idle(int argc, char **argv);
int crowd(int argc, char **argv);
int swallow(int argc, char **argv);
int pour(int argc, char **argv);
int meter(int argc, char **argv);
int count(int argc, char **argv);
int join(int argc, char **argv);
int burn(int argc, char **argv);
int descriptor(int argc, char **argv);
int start(int argc, char **argv);

#endif
