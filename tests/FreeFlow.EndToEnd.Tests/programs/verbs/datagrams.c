/*
 * Three UD queue pairs of one process: the header in front of what is received, the way back, keys, what is lost in silence, a receiver that takes nothing, who sleeps. Says "right".
 */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "common.h"

enum { HEADER = 40, MOST = 4096, PLACE = HEADER + MOST + 64, PLACES = 1024, KEY = 0x1234567, FLOOD = 3000 };

static struct ibv_pd *domain;
static struct ibv_cq *sent, *received;
static struct ibv_mr *source, *target;
static struct ibv_ah *here;
static union ibv_gid gid;
static unsigned char from[MOST + 1], to[PLACES * PLACE];

static void post(struct ibv_qp *pair, uint64_t place, uint32_t length) {
  struct ibv_sge piece = { (uint64_t)(to + place * PLACE), length, target->lkey };
  struct ibv_recv_wr request = { .wr_id = place, .sg_list = &piece, .num_sge = 1 }, *bad;
  MUST(ibv_post_recv(pair, &request, &bad) == 0);
}

static int send_by(struct ibv_qp *pair, struct ibv_ah *handle, uint32_t number, uint32_t key, enum ibv_wr_opcode opcode, uint32_t length) {
  struct ibv_sge piece = { (uint64_t)from, length, source->lkey };
  struct ibv_send_wr request = {
    .sg_list = &piece, .num_sge = 1, .opcode = opcode, .imm_data = length, .send_flags = IBV_SEND_SIGNALED, .wr = { .ud = { .ah = handle, .remote_qpn = number, .remote_qkey = key } },
  }, *bad = NULL;
  int error = ibv_post_send(pair, &request, &bad);
  MUST((error == 0) == (bad == NULL));
  return error;
}

static enum ibv_wc_status carry(struct ibv_qp *pair, uint32_t number, uint32_t key, uint32_t length) {
  MUST(send_by(pair, here, number, key, IBV_WR_SEND_WITH_IMM, length) == 0);
  return complete(sent).status;
}

/* An IPv4 header in the last 20 bytes, whose sum is right. */
static void check_header(const unsigned char *header, uint32_t length) {
  uint32_t sum = 0;
  for (int i = 20; i < HEADER; i += 2) sum += (uint32_t)header[i] << 8 | header[i + 1];
  MUST(header[20] == 0x45 && ((sum & 0xffff) + (sum >> 16)) == 0xffff && header[29] == 17);
  MUST(memcmp(header + 32, gid.raw + 12, 4) == 0 && memcmp(header + 36, gid.raw + 12, 4) == 0);
  MUST(((uint32_t)header[22] << 8 | header[23]) == 20 + 8 + 12 + 8 + length + 4);
}

static void check(struct ibv_wc completion, uint32_t sender, uint32_t receiver, uint32_t length) {
  unsigned char *memory = to + completion.wr_id * PLACE;
  MUST(completion.status == IBV_WC_SUCCESS && completion.opcode == IBV_WC_RECV && completion.byte_len == HEADER + length && completion.imm_data == length);
  MUST(completion.src_qp == sender && completion.qp_num == receiver && completion.wc_flags == (IBV_WC_GRH | IBV_WC_WITH_IMM));
  check_header(memory, length);
  MUST(memcmp(memory + HEADER, from, length) == 0);
  for (uint32_t at = HEADER + length; at < HEADER + length + 64; at++) MUST(memory[at] == 0xee);
  memset(memory, 0xee, PLACE);
}

static struct ibv_qp *make(void) {
  struct ibv_qp_init_attr wish = {
    .send_cq = sent, .recv_cq = received, .cap = { .max_send_wr = FLOOD, .max_recv_wr = PLACES, .max_send_sge = 1, .max_recv_sge = 1 }, .qp_type = IBV_QPT_UD,
  };
  struct ibv_qp *pair = ibv_create_qp(domain, &wish);
  MUST(pair);
  struct ibv_qp_attr attributes = { .qp_state = IBV_QPS_INIT, .port_num = 1, .qkey = KEY };
  MUST(ibv_modify_qp(pair, &attributes, IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT) == EINVAL); /* IBV_QP_QKEY is missing */
  MUST(ibv_modify_qp(pair, &attributes, IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_QKEY) == 0);
  attributes.qp_state = IBV_QPS_RTR;
  MUST(ibv_modify_qp(pair, &attributes, IBV_QP_STATE) == 0);
  attributes.qp_state = IBV_QPS_RTS;
  MUST(ibv_modify_qp(pair, &attributes, IBV_QP_STATE | IBV_QP_SQ_PSN) == 0);
  return pair;
}

static void sleep_until_received(struct ibv_comp_channel *channel) {
  struct pollfd wait = { .fd = channel->fd, .events = POLLIN };
  struct ibv_cq *told;
  void *user;
  MUST(poll(&wait, 1, 60000) == 1 && ibv_get_cq_event(channel, &told, &user) == 0 && told == received);
  ibv_ack_cq_events(received, 1);
}

int main(void) {
  static const uint32_t lengths[] = { 0, 1, 32, 33, 1000, MOST - 1, MOST };
  struct ibv_context *context = open_device();
  struct ibv_comp_channel *channel = ibv_create_comp_channel(context);
  struct ibv_wc none, seen;
  MUST(context && channel && ibv_query_gid(context, 1, 0, &gid) == 0);
  domain = ibv_alloc_pd(context);
  sent = ibv_create_cq(context, FLOOD + 1, NULL, NULL, 0);
  received = ibv_create_cq(context, PLACES, NULL, channel, 0);
  source = ibv_reg_mr(domain, from, sizeof from, 0);
  target = ibv_reg_mr(domain, to, sizeof to, IBV_ACCESS_LOCAL_WRITE);
  MUST(domain && sent && received && source && target);
  for (size_t i = 0; i < sizeof from; i++) from[i] = pattern(i);
  memset(to, 0xee, sizeof to);
  struct ibv_ah_attr attributes = { .is_global = 1, .port_num = 1, .grh = { .dgid = gid, .hop_limit = 1 } };
  MUST((here = ibv_create_ah(domain, &attributes)));
  struct ibv_qp *one = make(), *other = make();

  /* Around the end of the data area as well, and back by what a completion says. */
  for (int i = 0; i < 700; i++) {
    uint32_t length = lengths[i % 7];
    post(other, (uint64_t)i % 8, PLACE);
    MUST(carry(one, other->qp_num, KEY, length) == IBV_WC_SUCCESS);
    seen = complete(received);
    struct ibv_ah *back = i % 100 ? NULL : ibv_create_ah_from_wc(domain, &seen, (struct ibv_grh *)(to + seen.wr_id * PLACE), 1);
    check(seen, one->qp_num, other->qp_num, length);
    if (i % 100) continue;
    MUST(back);
    post(one, 9, PLACE);
    MUST(send_by(other, back, seen.src_qp, 0x80000000, IBV_WR_SEND_WITH_IMM, length) == 0 && complete(sent).status == IBV_WC_SUCCESS); /* its own Q_Key */
    check(complete(received), other->qp_num, one->qp_num, length);
    MUST(ibv_destroy_ah(back) == 0);
  }

  /* Lost: another Q_Key, too long for the receive, to nobody. What comes behind is not. */
  post(other, 0, HEADER + 50);
  MUST(carry(one, other->qp_num, KEY + 1, 10) == IBV_WC_SUCCESS && carry(one, other->qp_num, KEY, 51) == IBV_WC_SUCCESS);
  MUST(carry(one, one->qp_num ^ other->qp_num ^ 0x800000, KEY, 10) == IBV_WC_SUCCESS && carry(one, other->qp_num, KEY, 50) == IBV_WC_SUCCESS);
  check(complete(received), one->qp_num, other->qp_num, 50);
  MUST(ibv_poll_cq(received, 1, &none) == 0);
  MUST(send_by(one, here, other->qp_num, KEY, IBV_WR_RDMA_WRITE, 10) == EINVAL);

  /* Who sleeps is woken: by a sender that it knows, and by one that it has not heard of before. */
  for (int i = 0; i < 2; i++) {
    struct ibv_qp *sender = i ? make() : one;
    post(other, 0, PLACE);
    MUST(ibv_req_notify_cq(received, 0) == 0 && ibv_poll_cq(received, 1, &none) == 0);
    MUST(carry(sender, other->qp_num, KEY, 77) == IBV_WC_SUCCESS);
    sleep_until_received(channel);
    check(complete(received), sender->qp_num, other->qp_num, 77);
    if (i) MUST(ibv_destroy_qp(sender) == 0);
  }

  /* A receiver that takes nothing holds nobody up for ever; what had room is there in order. */
  for (uint32_t i = 0; i < FLOOD; i++) MUST(send_by(one, here, other->qp_num, KEY, IBV_WR_SEND_WITH_IMM, i % 33) == 0);
  for (uint32_t i = 0; i < FLOOD; i++) MUST(complete(sent).status == IBV_WC_SUCCESS);
  for (uint64_t i = 0; i < PLACES; i++) post(other, i, PLACE);
  uint32_t count = 0;
  for (; ibv_poll_cq(received, 1, &seen) == 1; count++) check(seen, one->qp_num, other->qp_num, count % 33);
  MUST(count >= 64 && count < FLOOD);
  MUST(carry(one, other->qp_num, KEY, 5) == IBV_WC_SUCCESS);
  check(complete(received), one->qp_num, other->qp_num, 5);

  /* More than the MTU is the sender's own mistake. */
  MUST(carry(one, other->qp_num, KEY, MOST + 1) == IBV_WC_LOC_LEN_ERR);
  MUST(ibv_destroy_qp(one) == 0 && ibv_destroy_qp(other) == 0 && ibv_destroy_ah(here) == 0);
  MUST(ibv_dereg_mr(source) == 0 && ibv_dereg_mr(target) == 0 && ibv_destroy_cq(sent) == 0 && ibv_destroy_cq(received) == 0 && ibv_destroy_comp_channel(channel) == 0);
  MUST(ibv_dealloc_pd(domain) == 0 && ibv_close_device(context) == 0);
  puts("right");
  return 0;
}
