/*
 * A queue pair whose peer writes what it likes into all the memory that the two share, again and again: hostile SECONDS SEED. The owner uses it as usual, and another pair of queue pairs
 * beside it, whose messages must all arrive; nothing outside of what it has posted may change. Says "right, N rounds, M spoilt".
 */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common.h"

enum { BYTES = 2048, PLACES = 16, CANARY = 64, PLACE = BYTES + 2 * CANARY, STEPS = 4000 };

struct word { uint32_t number, key; uint64_t address; union ibv_gid gid; };

static uint64_t state;
static unsigned next(void) { return (unsigned)((state = state * 6364136223846793005u + 1442695040888963407u) >> 33); }

static struct ibv_qp *make(struct ibv_pd *domain, struct ibv_cq *queue) {
  struct ibv_qp_init_attr wish = { .send_cq = queue, .recv_cq = queue, .cap = { .max_send_wr = 64, .max_recv_wr = 64, .max_send_sge = 1, .max_recv_sge = 1 }, .qp_type = IBV_QPT_RC };
  struct ibv_qp *pair = ibv_create_qp(domain, &wish);
  MUST(pair);
  return pair;
}

static int use(struct ibv_qp *pair, enum ibv_wr_opcode opcode, void *at, uint32_t length, struct ibv_mr *region, uint64_t remote, uint32_t key) {
  struct ibv_sge piece = { (uint64_t)at, length, region->lkey };
  struct ibv_send_wr request = { .wr_id = 1000, .sg_list = &piece, .num_sge = 1, .opcode = opcode, .send_flags = IBV_SEND_SIGNALED, .wr = { .rdma = { remote, key } } }, *bad;
  return ibv_post_send(pair, &request, &bad);
}

static int receive(struct ibv_qp *pair, uint64_t place, void *at, struct ibv_mr *region) {
  struct ibv_sge piece = { (uint64_t)at, BYTES, region->lkey };
  struct ibv_recv_wr request = { .wr_id = place, .sg_list = &piece, .num_sge = 1 }, *bad;
  return ibv_post_recv(pair, &request, &bad);
}

/* The blocks that this process shares with its peer. */
static unsigned char *shared(size_t *length) {
  char line[512];
  unsigned long from, to;
  unsigned char *found = NULL;
  FILE *maps = fopen("/proc/self/maps", "r");
  while (fgets(line, sizeof line, maps)) {
    if (strstr(line, "freeflow-queue-pair") && sscanf(line, "%lx-%lx", &from, &to) == 2) { found = (unsigned char *)from; *length = to - from; }
  }
  fclose(maps);
  return found;
}

static uint64_t crafted(uint64_t was) {
  switch (next() % 10) {
  case 0: return 0;
  case 1: return UINT64_MAX - next() % 3;
  case 2: return 1ull << next() % 64;
  case 3: return was + 1;
  case 4: return was - 1 - next() % 600;
  case 5: return was + (1 << 18) + next() % 3 - 1;
  case 6: return was + next() % 600;
  case 7: return next() % 5;
  case 8: return (uint64_t)next() << 32 | next();
  default: return was ^ 1ull << next() % 64;
  }
}

static void spoil(unsigned char *memory, size_t length) {
  static const unsigned short words[] = { 0, 4, 64, 72, 80, 88, 96, 104, 112, 128, 136, 192, 200, 204, 208, 256, 320, 384 };
  size_t block = next() % 2 * (length / 2);
  /* Heads, messages, the lengths of receives. */
  size_t at = block + (next() % 3 ? words[next() % (sizeof words / sizeof *words)] : next() % 3 ? 4096 + next() % 32768 : 36864 + next() % 65536);
  volatile uint64_t *place = (uint64_t *)(memory + (at & ~7ul));
  *place = crafted(*place);
}

/* The peer. Its own library may fall over what it has done. */
static void attack(int in, int out) {
  static unsigned char bytes[BYTES];
  struct ibv_context *context = open_device();
  struct ibv_pd *domain = ibv_alloc_pd(context);
  struct ibv_cq *queue = ibv_create_cq(context, 256, NULL, NULL, 0);
  struct ibv_mr *region = ibv_reg_mr(domain, bytes, sizeof bytes, IBV_ACCESS_LOCAL_WRITE);
  struct ibv_qp *pair = make(domain, queue);
  struct word own = { .number = pair->qp_num }, victim;
  MUST(ibv_query_gid(context, 1, 0, &own.gid) == 0);
  MUST(read(in, &victim, sizeof victim) == sizeof victim && write(out, &own, sizeof own) == sizeof own);
  connect_to(pair, victim.number, victim.gid);
  struct ibv_wc completions[16];
  size_t length = 0;
  unsigned char *memory = NULL;
  for (unsigned step = 0; step < STEPS; step++) {
    if (step % 8 == 0) use(pair, (enum ibv_wr_opcode[]){ IBV_WR_SEND, IBV_WR_RDMA_WRITE, IBV_WR_RDMA_READ }[next() % 3], bytes, next() % 3 ? 20 : BYTES, region, victim.address, victim.key);
    if (step % 8 == 3) receive(pair, 1, bytes, region);
    ibv_poll_cq(queue, 16, completions);
    if (step % 64 == 5) memory = shared(&length);
    for (unsigned i = next() % 4; memory && i; i--) spoil(memory, length);
    if (step % 64 == 9) usleep(500);
  }
  _exit(memory ? 0 : 9);
}

int main(int count, char **words) {
  static unsigned char places[PLACES * PLACE], own[BYTES];
  if (count == 4) {
    state = strtoull(words[3], NULL, 10);
    attack(atoi(words[1]), atoi(words[2]));
  }
  MUST(count == 3);
  long until = time(NULL) + atol(words[1]);
  unsigned rounds = 0, spoilt = 0, refused = 0, errors = 0;
  state = strtoull(words[2], NULL, 10);
  signal(SIGPIPE, SIG_IGN);
  struct ibv_context *context = NULL;
  struct ibv_pd *domain = NULL;
  struct ibv_cq *queue = NULL, *quiet = NULL;
  struct ibv_mr *region = NULL, *source = NULL;
  struct ibv_qp *left = NULL, *right = NULL;
  struct word self = { 0 };
  while (time(NULL) < until) {
    int to[2], back[2];
    MUST(pipe(to) == 0 && pipe(back) == 0);
    char in[16], out[16], seed[16];
    snprintf(in, sizeof in, "%d", to[0]);
    snprintf(out, sizeof out, "%d", back[1]);
    snprintf(seed, sizeof seed, "%u", next());
    pid_t peer = fork();
    if (peer == 0) {
      execl("/proc/self/exe", words[0], in, out, seed, NULL);
      _exit(8);
    }
    close(back[1]);
    if (!context) {
      context = open_device();
      domain = ibv_alloc_pd(context);
      queue = ibv_create_cq(context, 256, NULL, NULL, 0);
      quiet = ibv_create_cq(context, 256, NULL, NULL, 0);
      memset(places, 0xee, sizeof places);
      region = ibv_reg_mr(domain, places, sizeof places, IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_REMOTE_READ);
      source = ibv_reg_mr(domain, own, sizeof own, IBV_ACCESS_LOCAL_WRITE);
      MUST(region && source && ibv_query_gid(context, 1, 0, &self.gid) == 0);
      left = make(domain, quiet);
      right = make(domain, quiet);
      connect_to(left, right->qp_num, self.gid);
      connect_to(right, left->qp_num, self.gid);
      for (size_t i = 0; i < sizeof own; i++) own[i] = pattern(i);
    }
    struct ibv_qp *pair = make(domain, queue);
    struct word other;
    self.number = pair->qp_num;
    MUST(write(to[1], &self, sizeof self) == sizeof self);
    if (read(back[0], &other, sizeof other) == sizeof other) {
      refused += !connects_to(pair, other.number, other.gid);
      for (uint64_t place = 0; place < PLACES - 1; place++) receive(pair, place, places + place * PLACE + CANARY, region);
      struct ibv_wc completions[16];
      for (int over = 0, status; !over;) {
        over = waitpid(peer, &status, WNOHANG) == peer;
        if (over) spoilt += WIFSIGNALED(status) || WEXITSTATUS(status) == 0;
        int got = ibv_poll_cq(queue, 16, completions);
        MUST(got >= 0);
        for (int i = 0; i < got; i++) {
          MUST(completions[i].wr_id < PLACES || completions[i].wr_id == 1000);
          errors += completions[i].status != IBV_WC_SUCCESS;
          MUST(completions[i].byte_len <= BYTES || completions[i].status != IBV_WC_SUCCESS || completions[i].opcode != IBV_WC_RECV);
          if (completions[i].wr_id < PLACES) receive(pair, completions[i].wr_id, places + completions[i].wr_id * PLACE + CANARY, region);
        }
        use(pair, IBV_WR_SEND, own, next() % 2 ? 20 : BYTES, source, 0, 0);
        /* The neighbours' message arrives as it was sent. */
        unsigned char *last = places + (PLACES - 1) * PLACE + CANARY;
        memset(last, 0, BYTES);
        MUST(receive(right, 5, last, region) == 0 && use(left, IBV_WR_SEND, own, BYTES, source, 0, 0) == 0);
        MUST(complete(quiet).status == IBV_WC_SUCCESS && complete(quiet).status == IBV_WC_SUCCESS && memcmp(last, own, BYTES) == 0);
      }
    } else waitpid(peer, NULL, 0);
    MUST(ibv_destroy_qp(pair) == 0);
    while (ibv_poll_cq(queue, 1, &(struct ibv_wc){ 0 }) > 0) { }
    for (int i = 0; i < PLACES; i++) {
      for (int at = 0; at < CANARY; at++) MUST(places[i * PLACE + at] == 0xee && places[i * PLACE + PLACE - 1 - at] == 0xee);
    }
    close(to[0]);
    close(to[1]);
    close(back[0]);
    rounds++;
  }
  MUST(spoilt > 0);
  printf("right, %u rounds, %u spoilt, %u before they were connected, %u requests ended with an error\n", rounds, spoilt, refused, errors);
  return 0;
}
