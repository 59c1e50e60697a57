/* What the programs for verbs share. */
#include <infiniband/verbs.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define MUST(condition) do { if (!(condition)) { fprintf(stderr, "line %d: %s\n", __LINE__, #condition); exit(1); } } while (0)

static inline struct ibv_context *open_device(void) {
  int count;
  struct ibv_device **list = ibv_get_device_list(&count);
  MUST(list && count > 0);
  struct ibv_context *context = ibv_open_device(list[0]);
  ibv_free_device_list(list);
  return context;
}

/* Brings an RC queue pair from RESET to RTS, towards another of the same address. False if that cannot be: the other end may have spoilt what the two share. */
static inline bool connects_to(struct ibv_qp *pair, uint32_t number, union ibv_gid gid) {
  struct ibv_qp_attr attributes = { .qp_state = IBV_QPS_INIT, .port_num = 1, .qp_access_flags = IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_REMOTE_READ | IBV_ACCESS_REMOTE_ATOMIC };
  MUST(ibv_modify_qp(pair, &attributes, IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT) == EINVAL); /* IBV_QP_ACCESS_FLAGS is missing */
  MUST(ibv_modify_qp(pair, &attributes, IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_ACCESS_FLAGS) == 0);
  attributes = (struct ibv_qp_attr){
    .qp_state = IBV_QPS_RTR, .path_mtu = IBV_MTU_1024, .dest_qp_num = number, .max_dest_rd_atomic = 1, .min_rnr_timer = 12,
    .ah_attr = { .is_global = 1, .port_num = 1, .grh = { .dgid = gid, .hop_limit = 1 } },
  };
  if (ibv_modify_qp(pair, &attributes, IBV_QP_STATE | IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN | IBV_QP_RQ_PSN | IBV_QP_MAX_DEST_RD_ATOMIC | IBV_QP_MIN_RNR_TIMER) != 0) return false;
  attributes = (struct ibv_qp_attr){ .qp_state = IBV_QPS_RTS, .timeout = 14, .retry_cnt = 7, .rnr_retry = 7, .max_rd_atomic = 1 };
  return ibv_modify_qp(pair, &attributes, IBV_QP_STATE | IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT | IBV_QP_RNR_RETRY | IBV_QP_SQ_PSN | IBV_QP_MAX_QP_RD_ATOMIC) == 0;
}

static inline void connect_to(struct ibv_qp *pair, uint32_t number, union ibv_gid gid) { MUST(connects_to(pair, number, gid)); }

static inline struct ibv_wc complete(struct ibv_cq *queue) {
  struct ibv_wc completion;
  int count;
  while ((count = ibv_poll_cq(queue, 1, &completion)) == 0) {}
  MUST(count == 1);
  return completion;
}

static inline unsigned char pattern(size_t at) { return (unsigned char)(at * 7 + at / 251); }
