// What the kernel still has on its way between the two ends of any connection of the program, as the director sees it without a descriptor of its own:
// sock_diag(7). A sleeper can be told from one that will wake in a moment only when nothing is on its way to it any more.
#include "stage.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FinWait1 = 4, FinWait2, TimeWait, Closed, CloseWait, LastAck, Listening, Closing };
enum { Patience = 250000000 };   // nanoseconds

static int netlinks[2] = {-1, -1};           // in each process's network namespace

struct end {
    int state;                             // 0: there is none any more
    int open;                              // somebody has a descriptor of it
    uint64_t written, received, unacknowledged;
};

static int ask(const struct connection *connection, int side, struct end *into)
{
    static uint32_t letters;
    int six = connection->six, own = connection->processes[side], other = connection->processes[!side], netlink = netlinks[own];
    const struct place *from = &stage->places[own], *to = &stage->places[other];
    struct { struct nlmsghdr header; struct inet_diag_req_v2 wanted; } question = {
        .header = {.nlmsg_len = sizeof question, .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST, .nlmsg_seq = ++letters},
        .wanted = {.sdiag_family = six ? AF_INET6 : AF_INET, .sdiag_protocol = IPPROTO_TCP, .idiag_ext = 1 << (INET_DIAG_INFO - 1), .idiag_states = ~0u},
    };
    struct inet_diag_sockid *id = &question.wanted.id;
    id->idiag_sport = htons((uint16_t)connection->ports[side]);
    id->idiag_dport = htons((uint16_t)connection->ports[!side]);
    id->idiag_cookie[0] = id->idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    if (six) { memcpy(id->idiag_src, from->six, sizeof from->six); memcpy(id->idiag_dst, to->six, sizeof to->six); }
    else { id->idiag_src[0] = from->four; id->idiag_dst[0] = to->four; }
    union { struct nlmsghdr header; char space[4096]; } answer;
    if (send(netlink, &question, sizeof question, 0) < 0) return 0;
    ssize_t length = recv(netlink, &answer, sizeof answer, 0);
    if (length < (ssize_t)sizeof answer.header) return 0;
    *into = (struct end){0};
    if (answer.header.nlmsg_type == NLMSG_ERROR) return 1;   // ENOENT
    const struct inet_diag_msg *found = NLMSG_DATA(&answer.header);
    // Where there is no such connection, the listener of that port is found.
    if (found->idiag_state == Listening || found->idiag_state == Closed) return 1;
    into->state = found->idiag_state;
    into->open = found->idiag_inode != 0;
    into->unacknowledged = found->idiag_wqueue;
    size_t left = answer.header.nlmsg_len - NLMSG_LENGTH(sizeof *found);
    for (const struct nlattr *each = (const void *)(found + 1); left >= sizeof *each && each->nla_len >= sizeof *each && each->nla_len <= left;) {
        struct tcp_info facts = {0};
        if (each->nla_type == INET_DIAG_INFO) {
            memcpy(&facts, each + 1, each->nla_len - sizeof *each < sizeof facts ? each->nla_len - sizeof *each : sizeof facts);
            into->written = facts.tcpi_bytes_sent - facts.tcpi_bytes_retrans + facts.tcpi_notsent_bytes;
            into->received = facts.tcpi_bytes_received;
        }
        size_t step = NLA_ALIGN(each->nla_len);
        if (step >= left) break;
        left -= step;
        each = (const void *)((const char *)each + step);
    }
    return 1;
}

/// What one end has sent, its end of stream too, has come to the other, or has been refused.
static int has_come(const struct direction *direction, const struct end *from, const struct end *to)
{
    if (from->state == 0) return to->state == 0 || to->state == TimeWait;   // a reset
    if (from->state == TimeWait) return 1;
    if (direction->sent > direction->consumed + MuchForAWindow) return 1;
    if (to->state == 0 || to->state == TimeWait) return from->unacknowledged == 0;
    if (to->received < from->written) return 0;
    int finished = from->state == FinWait1 || from->state == FinWait2 || from->state == LastAck || from->state == Closing;
    return !finished || to->state == CloseWait || to->state == LastAck || to->state == Closing;
}

/// A socket that its actors have closed may be held for a moment longer, by a router that is looking at it: it ends when that one closes its copy, too.
static int is_held(struct connection *connection, const struct end ends[2], int anybody_sleeps)
{
    for (int side = 0; side < 2; side++)
        if (connection->begun[side] && connection->holders[side] == 0 && ends[side].open && !anybody_sleeps && !connection->kept) return 1;
    return 0;
}

void settle_wire(int anybody_sleeps)
{
    for (int p = 0; p < 2; p++) if (netlinks[p] < 0 && enter(p)) netlinks[p] = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    uint64_t limit = 0;
    for (struct connection *each = stage->connections; each < stage->connections + MaxConnections; each++) {
        while (each->ports[0] && each->ports[1]) {
            struct end ends[2];
            if (!ask(each, 0, &ends[0]) || !ask(each, 1, &ends[1])) return;
            int held = is_held(each, ends, anybody_sleeps);
            if (!held && has_come(&each->by[0], &ends[0], &ends[1]) && has_come(&each->by[1], &ends[1], &ends[0])) break;
            if (limit == 0) limit = now() + Patience;
            if (now() > limit) { each->kept = held; return; }
            nap(50);
        }
    }
}
