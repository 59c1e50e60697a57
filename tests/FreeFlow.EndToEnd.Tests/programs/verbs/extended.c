/*
 * One RC connection within a process, by the extended calls: completions that are read one by one, queues that change their size, regions that become others, parent domains, and what
 * this device does not have. Says "right".
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common.h"

enum { BYTES = 8192, ALL = IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_REMOTE_READ };

static struct ibv_cq_ex *sent, *received;
static unsigned char from[BYTES], __attribute__((aligned(4096))) to[4 * BYTES];

static void post_receive(struct ibv_qp *pair, struct ibv_mr *region, unsigned char *memory, uint64_t id) {
  struct ibv_sge piece = { (uint64_t)memory, BYTES, region->lkey };
  struct ibv_recv_wr request = { .wr_id = id, .sg_list = &piece, .num_sge = 1 }, *bad;
  MUST(ibv_post_recv(pair, &request, &bad) == 0);
}

static void post_send(struct ibv_qp *pair, struct ibv_mr *region, enum ibv_wr_opcode opcode, uint32_t length, uint64_t address, uint32_t key) {
  struct ibv_sge piece = { (uint64_t)from, length, region->lkey };
  struct ibv_send_wr request = {
    .wr_id = length, .sg_list = &piece, .num_sge = 1, .opcode = opcode, .imm_data = 0x12345678, .send_flags = IBV_SEND_SIGNALED, .wr = { .rdma = { address, key } },
  }, *bad;
  MUST(ibv_post_send(pair, &request, &bad) == 0);
}

static void start(struct ibv_cq_ex *queue) {
  struct ibv_poll_cq_attr attributes = { 0 };
  int error;
  while ((error = ibv_start_poll(queue, &attributes)) == ENOENT) {}
  MUST(error == 0);
}

static enum ibv_wc_status finish(struct ibv_cq_ex *queue) {
  start(queue);
  enum ibv_wc_status status = queue->status;
  ibv_end_poll(queue);
  return status;
}

static void to_reset(struct ibv_qp *pair) {
  struct ibv_qp_attr attributes = { .qp_state = IBV_QPS_RESET };
  MUST(ibv_modify_qp(pair, &attributes, IBV_QP_STATE) == 0);
}

static struct ibv_cq_ex *make_queue(struct ibv_context *context, struct ibv_pd *domain, uint64_t flags) {
  struct ibv_cq_init_attr_ex wish = { .cqe = 16, .wc_flags = flags, .comp_mask = IBV_CQ_INIT_ATTR_MASK_FLAGS | IBV_CQ_INIT_ATTR_MASK_PD, .parent_domain = domain };
  return ibv_create_cq_ex(context, &wish);
}

int main(void) {
  struct ibv_context *context = open_device();
  struct ibv_device_attr_ex device;
  struct ibv_poll_cq_attr attributes = { 0 };
  struct ibv_td_init_attr thread = { 0 };
  union ibv_gid gid;
  MUST(context && ibv_query_gid(context, 1, 0, &gid) == 0 && ibv_query_device_ex(context, NULL, &device) == 0 && device.completion_timestamp_mask == 0);
  struct ibv_pd *domain = ibv_alloc_pd(context);
  struct ibv_td *own_thread = ibv_alloc_td(context, &thread);
  struct ibv_parent_domain_init_attr wish = { .pd = domain, .td = own_thread };
  struct ibv_pd *parent = ibv_alloc_parent_domain(context, &wish);
  MUST(domain && own_thread && parent && ibv_dealloc_pd(domain) == EBUSY);

  MUST(!make_queue(context, parent, IBV_WC_STANDARD_FLAGS | IBV_WC_EX_WITH_COMPLETION_TIMESTAMP) && errno == EOPNOTSUPP);
  MUST((sent = make_queue(context, parent, IBV_WC_STANDARD_FLAGS)) && (received = make_queue(context, parent, IBV_WC_STANDARD_FLAGS)));
  struct ibv_qp_init_attr kind = {
    .send_cq = ibv_cq_ex_to_cq(sent), .recv_cq = ibv_cq_ex_to_cq(received), .cap = { .max_send_wr = 16, .max_recv_wr = 16, .max_send_sge = 1, .max_recv_sge = 1 }, .qp_type = IBV_QPT_RC,
  };
  struct ibv_qp *one = ibv_create_qp(domain, &kind), *other = ibv_create_qp(parent, &kind);
  struct ibv_mr *source = ibv_reg_mr(parent, from, sizeof from, 0), *target = ibv_reg_mr(domain, to, 2 * BYTES, ALL);
  MUST(one && other && source && target);
  for (size_t i = 0; i < sizeof from; i++) from[i] = pattern(i);
  connect_to(one, other->qp_num, gid);
  connect_to(other, one->qp_num, gid);

  /* One by one, with everything that is told of a message. */
  MUST(ibv_start_poll(received, &attributes) == ENOENT);
  for (uint32_t i = 0; i < 5; i++) {
    post_receive(other, target, to, 100 + i);
    post_send(one, source, IBV_WR_SEND_WITH_IMM, 1000 + i, 0, 0);
  }
  for (uint32_t i = 0; i < 5; i++) {
    if (i == 0) start(received);
    else MUST(ibv_next_poll(received) == 0);
    MUST(received->status == IBV_WC_SUCCESS && received->wr_id == 100 + i && ibv_wc_read_opcode(received) == IBV_WC_RECV && ibv_wc_read_byte_len(received) == 1000 + i);
    MUST(ibv_wc_read_imm_data(received) == 0x12345678 && ibv_wc_read_qp_num(received) == other->qp_num && ibv_wc_read_src_qp(received) == one->qp_num);
    MUST(ibv_wc_read_wc_flags(received) == IBV_WC_WITH_IMM && ibv_wc_read_slid(received) == 0 && ibv_wc_read_sl(received) == 0 && ibv_wc_read_vendor_err(received) == 0);
  }
  MUST(ibv_next_poll(received) == ENOENT);
  ibv_end_poll(received);
  MUST(memcmp(to, from, 1004) == 0);

  /* A queue keeps what lies in it, whatever size it has; it does not get smaller than that. */
  struct ibv_cq *queue = ibv_cq_ex_to_cq(sent);
  MUST(ibv_resize_cq(queue, 2) == EINVAL && queue->cqe >= 16);
  MUST(ibv_resize_cq(queue, 100) == 0 && queue->cqe >= 100 && ibv_resize_cq(queue, 5) == 0 && queue->cqe >= 5 && queue->cqe < 100);
  for (uint32_t i = 0; i < 5; i++) {
    struct ibv_wc completion = complete(queue);
    MUST(completion.status == IBV_WC_SUCCESS && completion.opcode == IBV_WC_SEND && completion.wr_id == 1000 + i);
  }
  MUST(ibv_resize_cq(queue, 16) == 0 && ibv_resize_cq(queue, 0) == EINVAL);

  /* A region is another one, elsewhere; what is not allowed leaves it as it was; where it has been is no part of it. */
  MUST(ibv_rereg_mr(target, IBV_REREG_MR_CHANGE_TRANSLATION, NULL, to + 2 * BYTES, BYTES, 0) == 0 && target->addr == to + 2 * BYTES && target->length == BYTES);
  memset(to, 0, sizeof to);
  post_send(one, source, IBV_WR_RDMA_WRITE, BYTES, (uint64_t)(to + 2 * BYTES), target->rkey);
  MUST(finish(sent) == IBV_WC_SUCCESS && memcmp(to + 2 * BYTES, from, BYTES) == 0);
  for (size_t i = 0; i < 2 * BYTES; i++) MUST(to[i] == 0);
  MUST(ibv_rereg_mr(target, IBV_REREG_MR_CHANGE_ACCESS, NULL, NULL, 0, IBV_ACCESS_REMOTE_WRITE) == IBV_REREG_MR_ERR_INPUT && target->length == BYTES);
  memset(to, 0, sizeof to);
  post_send(one, source, IBV_WR_RDMA_WRITE, BYTES, (uint64_t)(to + 2 * BYTES), target->rkey);
  MUST(finish(sent) == IBV_WC_SUCCESS && memcmp(to + 2 * BYTES, from, BYTES) == 0);
  post_send(one, source, IBV_WR_RDMA_WRITE, 8, (uint64_t)to, target->rkey);
  MUST(finish(sent) == IBV_WC_REM_ACCESS_ERR);
  /* RESET drops completions as well. */
  post_receive(one, target, to + 2 * BYTES, 8);
  to_reset(one);
  to_reset(other);
  MUST(ibv_start_poll(received, &attributes) == ENOENT);
  connect_to(one, other->qp_num, gid);
  connect_to(other, one->qp_num, gid);

  /* A receive that was posted for what the region was: both ends have an error, the sender's without the receiver's doing. */
  post_receive(other, target, to + 2 * BYTES, 7);
  MUST(ibv_rereg_mr(target, IBV_REREG_MR_CHANGE_TRANSLATION | IBV_REREG_MR_CHANGE_ACCESS, NULL, to, BYTES, IBV_ACCESS_LOCAL_WRITE) == 0);
  post_send(one, source, IBV_WR_SEND, 10, 0, 0);
  MUST(finish(sent) == IBV_WC_REM_OP_ERR && finish(received) == IBV_WC_LOC_PROT_ERR);

  int command = dup(context->cmd_fd);
  MUST(command >= 0 && !ibv_import_device(command) && errno == EOPNOTSUPP && close(command) == 0);

  MUST(ibv_destroy_qp(one) == 0 && ibv_destroy_qp(other) == 0 && ibv_dereg_mr(source) == 0 && ibv_dereg_mr(target) == 0);
  MUST(ibv_destroy_cq(ibv_cq_ex_to_cq(sent)) == 0 && ibv_destroy_cq(ibv_cq_ex_to_cq(received)) == 0);
  MUST(ibv_dealloc_pd(parent) == 0 && ibv_dealloc_td(own_thread) == 0 && ibv_dealloc_pd(domain) == 0 && ibv_close_device(context) == 0);
  puts("right");
  return 0;
}
