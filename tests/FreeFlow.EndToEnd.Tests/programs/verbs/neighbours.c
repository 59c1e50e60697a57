/*
 * Regions that lie side by side: several in one page, and some that begin where another one ends. Each is written and read by its own key, in rounds in which they are deregistered and
 * registered in another order, with a child in between; every byte must be what its owner and its peer have written. Says "right".
 */
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"

enum { REGIONS = 24, ROUNDS = 60, ALL = IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_REMOTE_READ | IBV_ACCESS_REMOTE_ATOMIC };

static const unsigned lengths[REGIONS] = { 64, 64, 8, 100, 1, 3000, 5000, 64, 64, 12288, 40, 24, 4096, 64, 9000, 64, 1, 1, 2, 4100, 64, 64, 7000, 64 };

static struct ibv_cq *queue;
static struct ibv_qp *pair;
static struct ibv_mr *regions[REGIONS], *local;
static unsigned char *starts[REGIONS], *heap, buffer[16384], expected[65536];
static size_t total;
static unsigned seed = 4711;

static unsigned some(unsigned most) {
  seed = seed * 1103515245 + 12345;
  return (seed >> 8) % most;
}

static enum ibv_wc_status transfer(int i, enum ibv_wr_opcode opcode, unsigned offset, unsigned length) {
  struct ibv_sge piece = { (uint64_t)buffer, length, local->lkey };
  struct ibv_send_wr request = {
    .sg_list = &piece, .num_sge = 1, .opcode = opcode, .send_flags = IBV_SEND_SIGNALED, .wr = { .rdma = { (uint64_t)starts[i] + offset, regions[i]->rkey } },
  }, *bad;
  MUST(ibv_post_send(pair, &request, &bad) == 0);
  return complete(queue).status;
}

static void write_to(int i) {
  unsigned length = 1 + some(lengths[i]), offset = some(lengths[i] - length + 1);
  for (unsigned b = 0; b < length; b++) buffer[b] = expected[(starts[i] - heap) + offset + b] = (unsigned char)some(256);
  MUST(transfer(i, IBV_WR_RDMA_WRITE, offset, length) == IBV_WC_SUCCESS);
  MUST(memcmp(heap, expected, total) == 0);
  heap[(starts[i] - heap) + offset] ^= 0xff; /* the owner stores beside */
  expected[(starts[i] - heap) + offset] ^= 0xff;
  MUST(transfer(i, IBV_WR_RDMA_READ, offset, length) == IBV_WC_SUCCESS);
  MUST(memcmp(buffer, heap + (starts[i] - heap) + offset, length) == 0);
}

static void fork_once(void) {
  int status;
  pid_t child = fork();
  MUST(child >= 0);
  if (child == 0) {
    if (memcmp(heap, expected, total) != 0) _exit(1);
    memset(heap, 0x5a, total); /* the child's own */
    _exit(0);
  }
  MUST(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
  MUST(memcmp(heap, expected, total) == 0);
}

int main(void) {
  struct ibv_context *context = open_device();
  union ibv_gid gid;
  MUST(context && ibv_query_gid(context, 1, 0, &gid) == 0);
  struct ibv_pd *domain = ibv_alloc_pd(context);
  MUST(domain && (queue = ibv_create_cq(context, 16, NULL, NULL, 0)));
  struct ibv_qp_init_attr kind = { .send_cq = queue, .recv_cq = queue, .cap = { .max_send_wr = 4, .max_recv_wr = 4, .max_send_sge = 1, .max_recv_sge = 1 }, .qp_type = IBV_QPT_RC };
  struct ibv_qp *other = ibv_create_qp(domain, &kind);
  MUST((pair = ibv_create_qp(domain, &kind)) && other && (local = ibv_reg_mr(domain, buffer, sizeof buffer, IBV_ACCESS_LOCAL_WRITE)));
  connect_to(pair, other->qp_num, gid);
  connect_to(other, pair->qp_num, gid);

  unsigned char *memory = malloc(sizeof expected + 8192);
  heap = memory + 1000; /* wherever that is in its page */
  for (int i = 0; i < REGIONS; i++) {
    starts[i] = heap + total + 10;
    total += lengths[i] + 20;
  }
  MUST(total < sizeof expected);
  for (size_t i = 0; i < total; i++) heap[i] = expected[i] = pattern(i);
  for (int round = 0; round < ROUNDS; round++) {
    for (int n = 0; n < REGIONS; n++) {
      int i = (int)some(REGIONS);
      if (!regions[i]) MUST((regions[i] = ibv_reg_mr(domain, starts[i], lengths[i], ALL)));
      else if (some(2)) write_to(i);
      else {
        MUST(ibv_dereg_mr(regions[i]) == 0);
        regions[i] = NULL;
      }
      MUST(memcmp(heap, expected, total) == 0);
    }
    if (round % 8 == 0) fork_once();
  }
  for (int i = 0; i < REGIONS; i++) if (regions[i]) MUST(ibv_dereg_mr(regions[i]) == 0);
  MUST(memcmp(heap, expected, total) == 0);
  free(memory);
  puts("right");
  return 0;
}
