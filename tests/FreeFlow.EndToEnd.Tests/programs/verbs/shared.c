/*
 * Two RC connections of one process whose receiving ends take from one shared receive queue: bytes, the limit's event, what waits for a receive, the event of the last receive, and what
 * is refused. Says "right".
 */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "common.h"

enum { LONG = 300001, RECEIVES = 8, LIMIT = 4 };

static struct ibv_pd *domain;
static struct ibv_cq *sent, *received;
static struct ibv_srq *shared;
static struct ibv_mr *source, *target;
static unsigned char from[LONG], to[RECEIVES * LONG];

/* A receive of two pieces, the first of 100 bytes. */
static int post(int place) {
  unsigned char *memory = to + (size_t)place * LONG;
  struct ibv_sge pieces[2] = { { (uint64_t)memory, 100, target->lkey }, { (uint64_t)(memory + 100), LONG - 100, target->lkey } };
  struct ibv_recv_wr request = { .wr_id = (uint64_t)place, .sg_list = pieces, .num_sge = 2 }, *bad = NULL;
  int error = ibv_post_srq_recv(shared, &request, &bad);
  MUST((error == 0) == (bad == NULL));
  return error;
}

static void send_to(struct ibv_qp *pair, uint32_t length) {
  struct ibv_sge piece = { (uint64_t)from, length, source->lkey };
  struct ibv_send_wr request = { .sg_list = &piece, .num_sge = 1, .opcode = IBV_WR_SEND_WITH_IMM, .imm_data = length, .send_flags = IBV_SEND_SIGNALED }, *bad;
  MUST(ibv_post_send(pair, &request, &bad) == 0);
}

static void check(struct ibv_wc completion, struct ibv_qp *pair, uint32_t length) {
  unsigned char *memory = to + completion.wr_id * LONG;
  MUST(completion.status == IBV_WC_SUCCESS && completion.opcode == IBV_WC_RECV && completion.byte_len == length && completion.imm_data == length);
  MUST(completion.qp_num == pair->qp_num && memcmp(memory, from, length) == 0);
  for (uint32_t at = length; at < length + 64 && at < LONG; at++) MUST(memory[at] == 0xee);
  memset(memory, 0xee, length);
}

/* A message there and back: the receiver has to poll, as the sender does. */
static void carry(struct ibv_qp *sender, struct ibv_qp *receiver, uint32_t length) {
  struct ibv_wc completion;
  int sends = 0, receives = 0;
  send_to(sender, length);
  while (!sends || !receives) {
    if (!receives && (receives = ibv_poll_cq(received, 1, &completion)) != 0) check(completion, receiver, length);
    if (!sends && (sends = ibv_poll_cq(sent, 1, &completion)) != 0) MUST(completion.status == IBV_WC_SUCCESS);
  }
}

static struct ibv_async_event event(struct ibv_context *context) {
  struct ibv_async_event seen;
  MUST(ibv_get_async_event(context, &seen) == 0);
  return seen;
}

static int is_readable(int fd, int milliseconds) {
  struct pollfd wait = { .fd = fd, .events = POLLIN };
  return poll(&wait, 1, milliseconds);
}

int main(void) {
  struct ibv_context *context = open_device();
  struct ibv_comp_channel *channel = ibv_create_comp_channel(context);
  union ibv_gid gid;
  struct ibv_qp *senders[2], *receivers[2];
  struct ibv_recv_wr *bad_receive, receive = { 0 };
  struct ibv_cq *told;
  void *user;
  MUST(context && channel && ibv_query_gid(context, 1, 0, &gid) == 0);
  domain = ibv_alloc_pd(context);
  sent = ibv_create_cq(context, 64, NULL, NULL, 0);
  received = ibv_create_cq(context, 64, NULL, channel, 0);
  source = ibv_reg_mr(domain, from, sizeof from, 0);
  target = ibv_reg_mr(domain, to, sizeof to, IBV_ACCESS_LOCAL_WRITE);
  MUST(domain && sent && received && source && target);
  for (size_t i = 0; i < LONG; i++) from[i] = pattern(i);
  memset(to, 0xee, sizeof to);

  struct ibv_srq_init_attr wish = { .attr = { .max_wr = RECEIVES, .max_sge = 2 } };
  MUST((shared = ibv_create_srq(domain, &wish)) && wish.attr.max_wr >= RECEIVES && wish.attr.max_sge >= 2);
  for (int i = 0; i < 2; i++) {
    struct ibv_qp_init_attr one = { .send_cq = sent, .recv_cq = sent, .cap = { .max_send_wr = 8, .max_recv_wr = 1, .max_send_sge = 1, .max_recv_sge = 1 }, .qp_type = IBV_QPT_RC };
    struct ibv_qp_init_attr other = { .send_cq = received, .recv_cq = received, .srq = shared, .cap = { .max_send_wr = 1, .max_send_sge = 1 }, .qp_type = IBV_QPT_RC };
    MUST((senders[i] = ibv_create_qp(domain, &one)) && (receivers[i] = ibv_create_qp(domain, &other)));
  }
  for (int i = 0; i < 2; i++) {
    connect_to(receivers[i], senders[i]->qp_num, gid);
    connect_to(senders[i], receivers[i]->qp_num, gid);
  }
  MUST(ibv_post_recv(receivers[0], &receive, &bad_receive) == EINVAL && bad_receive == &receive);
  MUST(ibv_destroy_srq(shared) == EBUSY);

  /* The limit is told of once, when fewer are left. */
  for (int i = 0; i < RECEIVES; i++) MUST(post(i) == 0);
  MUST(post(0) == ENOMEM);
  struct ibv_srq_attr limit = { .srq_limit = LIMIT };
  MUST(ibv_modify_srq(shared, &limit, IBV_SRQ_LIMIT) == 0);
  for (int i = 0; i < RECEIVES - LIMIT; i++) carry(senders[i % 2], receivers[i % 2], i == 0 ? LONG : i == 1 ? 0 : (uint32_t)(i * 37));
  MUST(is_readable(context->async_fd, 0) == 0);
  MUST(ibv_query_srq(shared, &limit) == 0 && limit.srq_limit == LIMIT);
  for (int i = 0; i < LIMIT; i++) carry(senders[i % 2], receivers[i % 2], 32 + (uint32_t)i);
  struct ibv_async_event seen = event(context);
  MUST(seen.event_type == IBV_EVENT_SRQ_LIMIT_REACHED && seen.element.srq == shared && is_readable(context->async_fd, 0) == 0);
  ibv_ack_async_event(&seen);
  MUST(ibv_query_srq(shared, &limit) == 0 && limit.srq_limit == 0);

  /* Without a receive a message waits; the next one that is posted wakes who sleeps on the channel. */
  send_to(senders[0], 1000);
  struct ibv_wc none;
  for (int i = 0; i < 100; i++) MUST(ibv_poll_cq(sent, 1, &none) == 0 && ibv_poll_cq(received, 1, &none) == 0);
  MUST(ibv_req_notify_cq(received, 0) == 0 && post(3) == 0 && is_readable(channel->fd, 60000) == 1);
  MUST(ibv_get_cq_event(channel, &told, &user) == 0 && told == received);
  ibv_ack_cq_events(received, 1);
  check(complete(received), receivers[0], 1000);
  MUST(complete(sent).status == IBV_WC_SUCCESS);

  /* A queue pair that ends says so; receives that it has not taken stay for the other one. */
  MUST(post(5) == 0);
  struct ibv_qp_attr error = { .qp_state = IBV_QPS_ERR };
  MUST(ibv_modify_qp(receivers[0], &error, IBV_QP_STATE) == 0);
  seen = event(context);
  MUST(seen.event_type == IBV_EVENT_QP_LAST_WQE_REACHED && seen.element.qp == receivers[0] && ibv_poll_cq(received, 1, &none) == 0);
  ibv_ack_async_event(&seen);
  carry(senders[1], receivers[1], 77);

  for (int i = 0; i < 2; i++) MUST(ibv_destroy_qp(senders[i]) == 0 && ibv_destroy_qp(receivers[i]) == 0);
  MUST(ibv_destroy_srq(shared) == 0 && ibv_dereg_mr(source) == 0 && ibv_dereg_mr(target) == 0 && ibv_destroy_cq(sent) == 0 && ibv_destroy_cq(received) == 0);
  MUST(ibv_destroy_comp_channel(channel) == 0 && ibv_dealloc_pd(domain) == 0 && ibv_close_device(context) == 0);
  puts("right");
  return 0;
}
