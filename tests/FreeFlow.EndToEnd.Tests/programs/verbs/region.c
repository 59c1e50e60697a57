/*
 * Two ends of an RC connection, of which one lets the other write, read and count in a region that begins and ends in the midst of pages. Around the region other bytes of the same
 * pages are stored to all the time, while the region is registered and deregistered, by threads and by a forked child. Says "right" if every byte is what it must be.
 * region: the owner; region ADDRESS: who writes. Numbers are exchanged by TCP, port 18515.
 */
#include <arpa/inet.h>
#include <infiniband/verbs.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"

enum { PORT = 18515, PAGES = 8, PAGE = 4096, OFFSET = 104, LENGTH = 20000, ROUNDS = 200, ADDS = 100 };

struct place { uint32_t number, key; uint64_t address; union ibv_gid gid; };

static struct ibv_pd *domain;
static struct ibv_cq *queue;
static struct ibv_qp *pair;
static unsigned char *memory;
static volatile int stops;

static int reach(const char *address) {
  struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(PORT) };
  int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
  if (address) {
    MUST(inet_pton(AF_INET, address, &at.sin_addr) == 1);
    MUST(connect(fd, (struct sockaddr *)&at, sizeof at) == 0);
    return fd;
  }
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  MUST(bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(fd, 1) == 0);
  return accept(fd, NULL, NULL);
}

static void meet(int fd, const void *own, void *other, size_t bytes) {
  MUST(write(fd, own, bytes) == (ssize_t)bytes);
  for (size_t got = 0; got < bytes;) {
    ssize_t step = read(fd, (char *)other + got, bytes - got);
    MUST(step > 0);
    got += (size_t)step;
  }
}

static void wait_for_other(int fd) {
  char own = 1, other;
  meet(fd, &own, &other, 1);
}

static enum ibv_wc_status finish(struct ibv_send_wr *request) {
  struct ibv_send_wr *bad;
  request->send_flags |= IBV_SEND_SIGNALED;
  MUST(ibv_post_send(pair, request, &bad) == 0);
  return complete(queue).status;
}

/* ---- The owner. */

/* Counts in the bytes in front of the region, and behind it: in the same pages, and not part of it. */
static void *keep_storing(void *result) {
  volatile uint64_t *front = (volatile uint64_t *)memory, *behind = (volatile uint64_t *)(memory + PAGE * (PAGES - 3) - 16);
  uint64_t count = 0;
  for (; !stops; count++) {
    MUST(*front == count && *behind == count);
    *front = count + 1;
    *behind = count + 1;
  }
  *(uint64_t *)result = count;
  return NULL;
}

static const int all = IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_REMOTE_READ | IBV_ACCESS_REMOTE_ATOMIC;

static void own(int fd, struct place *self) {
  pthread_t thread;
  uint64_t stored;
  struct place other;
  unsigned char *region = memory + OFFSET;
  MUST(pthread_create(&thread, NULL, keep_storing, &stored) == 0);
  for (int i = 0; i < ROUNDS; i++) {
    struct ibv_mr *again = ibv_reg_mr(domain, region, LENGTH, all);
    MUST(again && ibv_dereg_mr(again) == 0);
  }
  struct ibv_mr *shared = ibv_reg_mr(domain, region, LENGTH, all);
  MUST(shared);
  *self = (struct place){ pair->qp_num, shared->rkey, (uint64_t)region, self->gid };
  meet(fd, self, &other, sizeof other);
  connect_to(pair, other.number, other.gid);
  wait_for_other(fd);
  wait_for_other(fd); /* it has written */
  for (size_t i = 0; i < LENGTH; i++) MUST(region[i] == pattern(i));
  wait_for_other(fd);
  wait_for_other(fd); /* it has counted */
  MUST(*(uint64_t *)region == ADDS);

  pid_t child = fork();
  if (child == 0) {
    for (size_t i = 0; i < LENGTH; i++) region[i] = 1;
    *(uint64_t *)memory = 1;
    _exit(0);
  }
  int status;
  MUST(waitpid(child, &status, 0) == child && status == 0);
  MUST(*(uint64_t *)region == ADDS);
  for (size_t i = 8; i < LENGTH; i++) MUST(region[i] == pattern(i));
  MUST(ibv_dereg_mr(shared) == 0);
  for (size_t i = 8; i < LENGTH; i++) MUST(region[i] == pattern(i));
  wait_for_other(fd);
  wait_for_other(fd); /* it has tried the key that is no more */
  stops = 1;
  pthread_join(thread, NULL);
  MUST(*(uint64_t *)region == ADDS && *(uint64_t *)memory == stored);
  for (size_t i = 8; i < OFFSET; i++) MUST(memory[i] == 0xee);
  for (size_t i = OFFSET + LENGTH; i < PAGE * (PAGES - 3) - 16; i++) MUST(memory[i] == 0xee);
}

/* ---- Who writes. */

static void use(int fd, struct place *self) {
  struct place other;
  struct ibv_mr *local = ibv_reg_mr(domain, memory, PAGES * PAGE, IBV_ACCESS_LOCAL_WRITE);
  MUST(local);
  self->number = pair->qp_num;
  meet(fd, self, &other, sizeof other);
  connect_to(pair, other.number, other.gid);
  wait_for_other(fd);

  struct ibv_sge element = { .addr = (uint64_t)memory, .length = LENGTH, .lkey = local->lkey };
  struct ibv_send_wr request = { .sg_list = &element, .num_sge = 1, .opcode = IBV_WR_RDMA_WRITE, .wr.rdma = { .remote_addr = other.address, .rkey = other.key } };
  for (size_t i = 0; i < LENGTH; i++) memory[i] = pattern(i);
  MUST(finish(&request) == IBV_WC_SUCCESS);
  memset(memory, 0, LENGTH);
  request.opcode = IBV_WR_RDMA_READ;
  MUST(finish(&request) == IBV_WC_SUCCESS);
  for (size_t i = 0; i < LENGTH; i++) MUST(memory[i] == pattern(i));
  wait_for_other(fd);
  wait_for_other(fd);

  uint64_t zero = 0, before;
  memcpy(memory, &zero, sizeof zero);
  element.length = sizeof zero;
  request.opcode = IBV_WR_RDMA_WRITE;
  MUST(finish(&request) == IBV_WC_SUCCESS);
  for (uint64_t i = 0; i < ADDS; i++) {
    request.opcode = i % 2 ? IBV_WR_ATOMIC_FETCH_AND_ADD : IBV_WR_ATOMIC_CMP_AND_SWP;
    request.wr.atomic.remote_addr = other.address;
    request.wr.atomic.rkey = other.key;
    request.wr.atomic.compare_add = i % 2 ? 1 : i;
    request.wr.atomic.swap = i + 1;
    MUST(finish(&request) == IBV_WC_SUCCESS);
    memcpy(&before, memory, sizeof before);
    MUST(before == i);
  }
  wait_for_other(fd);
  wait_for_other(fd);
  request.opcode = IBV_WR_RDMA_WRITE;
  request.wr.rdma.remote_addr = other.address;
  request.wr.rdma.rkey = other.key;
  MUST(finish(&request) == IBV_WC_REM_ACCESS_ERR);
  struct ibv_qp_attr attributes;
  struct ibv_qp_init_attr made;
  MUST(ibv_query_qp(pair, &attributes, IBV_QP_STATE, &made) == 0 && attributes.qp_state == IBV_QPS_ERR);
  MUST(finish(&request) == IBV_WC_WR_FLUSH_ERR);
  wait_for_other(fd);
}

int main(int count, char **arguments) {
  struct ibv_context *context = open_device();
  struct place self = { 0 };
  MUST(context && ibv_query_gid(context, 1, 0, &self.gid) == 0);
  memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  MUST(memory != MAP_FAILED);
  memset(memory, 0xee, PAGES * PAGE);
  memset(memory, 0, 8);
  memset(memory + PAGE * (PAGES - 3) - 16, 0, 8);
  domain = ibv_alloc_pd(context);
  queue = ibv_create_cq(context, 16, NULL, NULL, 0);
  struct ibv_qp_init_attr wish = { .send_cq = queue, .recv_cq = queue, .qp_type = IBV_QPT_RC, .cap = { 4, 4, 1, 1, 0 } };
  MUST(domain && queue && (pair = ibv_create_qp(domain, &wish)));
  int fd = reach(count > 1 ? arguments[1] : NULL);
  if (count > 1) use(fd, &self);
  else own(fd, &self);
  MUST(ibv_destroy_qp(pair) == 0 && ibv_destroy_cq(queue) == 0);
  puts("right");
  return 0;
}
