// poll(2), select(2), epoll(7).
#include "stage.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <unistd.h>

static struct timespec milliseconds(long time) { return (struct timespec){time / 1000, time % 1000 * 1000000}; }

/// poll|ppoll TIMEOUT SLOT EVENTS [SLOT EVENTS …]; a negative slot is a descriptor to be ignored.
static void by_poll(int with_mask)
{
    struct pollfd wanted[8];
    long time = number();
    int count = 0;
    for (char *text = word(); *text && count < 8; text = word()) {
        int index = atoi(text);
        wanted[count++] = (struct pollfd){.fd = index < 0 ? -1 : slots[index].fd, .events = (short)number(), .revents = 0x5a5a};
    }
    struct timespec limit = milliseconds(time);
    sigset_t none;
    sigemptyset(&none);
    int result = with_mask ? ppoll(wanted, (nfds_t)count, time < 0 ? NULL : &limit, &none) : poll(wanted, (nfds_t)count, (int)time);
    say_result(result);
    for (int i = 0; i < count && result >= 0; i++) say(" %x", wanted[i].revents);
}

/// select|pselect TIMEOUT SLOT WHICH [SLOT WHICH …]; which: 1 readable, 2 writable, 4 exceptional.
static void by_select(int with_mask)
{
    fd_set sets[3];
    int fds[8], count = 0, limit = 0;
    for (int i = 0; i < 3; i++) FD_ZERO(&sets[i]);
    long time = number();
    for (char *text = word(); *text && count < 8; text = word()) {
        int fd = slots[atoi(text)].fd;
        long which = number();
        if (fd < 0) continue;
        for (int i = 0; i < 3; i++) if (which & (1 << i)) FD_SET(fd, &sets[i]);
        fds[count++] = fd;
        if (fd >= limit) limit = fd + 1;
    }
    struct timespec precise = milliseconds(time);
    struct timeval coarse = {precise.tv_sec, precise.tv_nsec / 1000};
    sigset_t none;
    sigemptyset(&none);
    int result = with_mask ? pselect(limit, &sets[0], &sets[1], &sets[2], time < 0 ? NULL : &precise, &none)
        : select(limit, &sets[0], &sets[1], &sets[2], time < 0 ? NULL : &coarse);
    say_result(result);
    for (int i = 0; i < count && result >= 0; i++) {
        int found = 0;
        for (int j = 0; j < 3; j++) if (FD_ISSET(fds[i], &sets[j])) found |= 1 << j;
        say(" %d", found);
    }
}

static int by_data(const void *left, const void *right)
{
    const struct epoll_event *first = left, *second = right;
    return (first->data.u64 > second->data.u64) - (first->data.u64 < second->data.u64);
}

/// epwait|eppwait|eppwait2 SET MOST TIMEOUT
static void wait_for_events(char kind)
{
    struct epoll_event events[16];
    struct slot *set = slot();
    int most = (int)number();
    long time = number();
    struct timespec limit = milliseconds(time);
    sigset_t none;
    sigemptyset(&none);
    int result = kind == '2' ? epoll_pwait2(set->fd, events, most, time < 0 ? NULL : &limit, &none)
        : kind == 'p' ? epoll_pwait(set->fd, events, most, (int)time, &none) : epoll_wait(set->fd, events, most, (int)time);
    say_result(result);
    if (result > 0) qsort(events, (size_t)result, sizeof *events, by_data);
    for (int i = 0; i < result; i++) say(" %llu:%x", (unsigned long long)events[i].data.u64, events[i].events);
}

static _Thread_local volatile int let_in;
static void note(int number) { (void)number; let_in = 1; }

/// let CALL …: a signal waits meanwhile that the call's mask, if it has one, lets in.
static void with_signal(const char *verb)
{
    struct sigaction action = {.sa_handler = note};
    sigset_t blocked, old;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR2);
    sigaction(SIGUSR2, &action, NULL);
    pthread_sigmask(SIG_BLOCK, &blocked, &old);
    pthread_kill(pthread_self(), SIGUSR2);
    let_in = 0;
    readiness(verb);
    say(let_in ? " in" : " out");
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

int readiness(const char *verb)
{
    if (strcmp(verb, "let") == 0) with_signal(word());
    else if (strcmp(verb, "poll") == 0) by_poll(0);
    else if (strcmp(verb, "ppoll") == 0) by_poll(1);
    else if (strcmp(verb, "select") == 0) by_select(0);
    else if (strcmp(verb, "pselect") == 0) by_select(1);
    else if (strcmp(verb, "epwait") == 0) wait_for_events('w');
    else if (strcmp(verb, "eppwait") == 0) wait_for_events('p');
    else if (strcmp(verb, "eppwait2") == 0) wait_for_events('2');
    else if (strcmp(verb, "epnew") == 0) {
        int fd = epoll_create1(number() ? EPOLL_CLOEXEC : 0);
        say(fd >= 0 ? "0" : "-1");
        new_slot(fd, Epoll, NULL);
    } else if (strcmp(verb, "epctl") == 0) {
        // epctl SET OPERATION SLOT EVENTS DATA
        struct slot *set = slot();
        int operation = (int)number();
        struct slot *of = slot();
        struct epoll_event wanted = {.events = (uint32_t)number()};
        wanted.data.u64 = (uint64_t)number();
        say_result(epoll_ctl(set->fd, operation, of->fd, &wanted));
    } else return 0;
    return 1;
}
