// getsockopt(2), setsockopt(2), names.
#include "stage.h"

#include <arpa/inet.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

static const struct { const char *name; int level, option; } known[] = {
    {"error", SOL_SOCKET, SO_ERROR}, {"type", SOL_SOCKET, SO_TYPE}, {"acceptconn", SOL_SOCKET, SO_ACCEPTCONN}, {"protocol", SOL_SOCKET, SO_PROTOCOL},
    {"domain", SOL_SOCKET, SO_DOMAIN}, {"keepalive", SOL_SOCKET, SO_KEEPALIVE}, {"rcvlowat", SOL_SOCKET, SO_RCVLOWAT}, {"oobinline", SOL_SOCKET, SO_OOBINLINE},
    {"rcvbuf", SOL_SOCKET, SO_RCVBUF}, {"sndbuf", SOL_SOCKET, SO_SNDBUF}, {"nodelay", IPPROTO_TCP, TCP_NODELAY}, {"cork", IPPROTO_TCP, TCP_CORK},
    {"quickack", IPPROTO_TCP, TCP_QUICKACK}, {"usertimeout", IPPROTO_TCP, TCP_USER_TIMEOUT}, {"busypoll", SOL_SOCKET, SO_BUSY_POLL},
    {"timestamp", SOL_SOCKET, SO_TIMESTAMP}, {"peekoff", SOL_SOCKET, SO_PEEK_OFF}, {"priority", SOL_SOCKET, SO_PRIORITY}, {"tos", IPPROTO_IP, IP_TOS},
    {"notsent", IPPROTO_TCP, TCP_NOTSENT_LOWAT}, {"keepidle", IPPROTO_TCP, TCP_KEEPIDLE},
};

static int port_of(const struct sockaddr_storage *address)
{
    return ntohs(address->ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)address)->sin6_port : ((const struct sockaddr_in *)address)->sin_port);
}

/// Ports are chance, but not whose they are.
static void say_name(int fd, int (*ask)(int, struct sockaddr *, socklen_t *))
{
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;
    int result = ask(fd, (struct sockaddr *)&address, &length);
    say_result(result);
    if (result != 0) return;
    int listener = 0;
    for (int i = 0; i < 4; i++) listener |= port_of(&address) == stage->ports[i / 2][i % 2];
    say(" family %d length %u %s; ", address.ss_family, length, listener ? "listener" : "other");
}

int options(const char *verb)
{
    if (strcmp(verb, "names") == 0) {
        int fd = slot()->fd;
        say_name(fd, getsockname);
        say_name(fd, getpeername);
        return 1;
    }
    if (strcmp(verb, "linger") == 0) {
        int fd = slot()->fd;
        struct linger value = {.l_onoff = (int)number()};
        value.l_linger = (int)number();
        say_result(setsockopt(fd, SOL_SOCKET, SO_LINGER, &value, sizeof value));
        return 1;
    }
    if (strcmp(verb, "rcvtimeo") == 0 || strcmp(verb, "sndtimeo") == 0) {
        int fd = slot()->fd, option = verb[0] == 'r' ? SO_RCVTIMEO : SO_SNDTIMEO;
        long milliseconds = number();
        struct timeval value = {milliseconds < 0 ? milliseconds : 0, milliseconds < 0 ? 0 : milliseconds * 1000};
        say_result(setsockopt(fd, SOL_SOCKET, option, &value, sizeof value));
        socklen_t length = sizeof value;
        getsockopt(fd, SOL_SOCKET, option, &value, &length);
        say(" %ld", (long)value.tv_usec / 1000);
        return 1;
    }
    if (strcmp(verb, "tcpstate") == 0) {
        struct tcp_info facts = {0};
        socklen_t length = sizeof facts;
        int result = getsockopt(slot()->fd, IPPROTO_TCP, TCP_INFO, &facts, &length);
        say_result(result);
        // FIN_WAIT1 becomes FIN_WAIT2 with an acknowledgement that takes its time.
        if (result == 0) say(" %d", facts.tcpi_state == 4 ? 5 : facts.tcpi_state);
        return 1;
    }
    int set = strcmp(verb, "setopt") == 0;
    if (!set && strcmp(verb, "getopt") != 0) return 0;
    int fd = slot()->fd, value = 0;
    socklen_t length = sizeof value;
    const char *name = word();
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(name, known[i].name) != 0) continue;
        value = set ? (int)number() : 0;
        say_result(set ? setsockopt(fd, known[i].level, known[i].option, &value, sizeof value) : getsockopt(fd, known[i].level, known[i].option, &value, &length));
        if (!set) say(" %d", value);
    }
    return 1;
}
