// stage: plays programs of socket calls. Actors (threads of two long-lived processes and of their children) perform the steps of a program in the
// order that a director gives them; what every call answers stands in shared memory. It uses the C library's calls and knows nothing of FreeFlow.
#ifndef STAGE_H
#define STAGE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    MaxActors = 10,          // 0, 1: threads of process A; 2, 3: of process B; 4..7: children; 8, 9: what cleans up in A and in B
    FirstChild = 4, LastChild = 7, Cleaner = 8,
    MaxConnections = 6, MaxSlots = 20, MaxSteps = 400, MaxLine = 200, MaxResult = 400,
    StageDescriptor = 300, FirstWire = 310,
    BufferBytes = 1 << 20,
    Quit = -1,
    Looking = 2,             // what a cleaner is given besides 0 and 1
    MuchForAWindow = 45000,  // so many unread bytes keep others from coming
};

struct direction {           // the bytes that one side of a connection has written
    _Atomic uint64_t sent, consumed;      // as the calls answered
    _Atomic uint64_t kernel_written;      // as the writer's kernel counts them (TCP_INFO)
    _Atomic uint64_t in_ring;             // consumed, but never seen by the reader's kernel
    _Atomic uint64_t tally[4];            // of concurrent readers: how often each letter came
    _Atomic int finished;                 // shut down for writing
    _Atomic int mixed;                    // written by pump: the bytes tell nothing of their place
};

struct connection {
    struct direction by[2];               // [0] by the side that connected
    _Atomic int holders[2], begun[2];     // descriptors of each side, in all processes; whether it has had one
    _Atomic int processes[2];             // of its two ends, [0] of the one that connected
    _Atomic int six, ports[2];            // of its two ends, [0] of the one that connected; 0 before
    int kept;                             // a socket is open that no actor has: the director waits for its end no more
    _Atomic int doomed;                   // bytes have been sent to a side that is gone: a reset is on its way
};

struct actor {
    _Atomic uint32_t mail, begun, done;   // a number that never comes twice, and a step: given, settled and begun, finished
    _Atomic int pid, thread, process;     // process: 0 A, 1 B
    _Atomic uint32_t interruptions;       // SIGUSR1 handled
};

struct place {               // where a process lives
    char net[64];            // its network namespace; empty: where the director is
    uint32_t four;           // its addresses
    unsigned char six[16];
};

struct stage {
    struct place places[2];
    int lag;                 // microseconds that it may take from one process to the other on roads other than the kernel's
    struct actor actors[MaxActors];
    struct connection connections[MaxConnections];
    _Atomic int ports[2][2];              // listeners of A and B; IPv4, IPv6
    char lines[MaxSteps][MaxLine];
    char results[MaxSteps][MaxResult];
};

struct slot { int fd, kind, connection, side; };
enum { None, Stream, Epoll, Other };

extern struct stage *stage;
extern struct slot slots[MaxSlots];
extern _Thread_local int self;
extern _Thread_local char *buffer;        // BufferBytes, this thread's
extern _Thread_local char *answer;        // where the result of the step goes
extern const char *executable;
extern int listeners[2];

// actor.c
void perform(int actor);                  // mail after mail, until told to quit
void become(int actor, int process);
void watch_signals(int restart);
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void say_result(long result);
char *word(void);                         // the next word of the line, "" at its end
long number(void);
int actor_of(const char *name);          // a0, a1, b0, b1, c0 … c3; -1
struct slot *slot(void);
struct slot *new_slot(int fd, int kind, const struct slot *like);
void forget(struct slot *slot);

// settle.c
void settle(void);                        // waits until the kernel has delivered to this process what is on its way
void publish(const struct slot *slot);    // after a step that sent
void note_roads(const struct slot *slot);
void look_at_all(void);                   // as a program would that waits for its sockets

// wire.c
void settle_wire(int anybody_sleeps);     // the same for every connection of the program; for the director

// the calls: true if the verb is theirs
int transfer_out(const char *verb);
int transfer_in(const char *verb);
int streams(const char *verb);
int readiness(const char *verb);
int descriptors(const char *verb);
int options(const char *verb);
int processes(const char *verb);

// bytes.c
void fill_bytes(char *bytes, int direction, uint64_t offset, size_t count);
int check_bytes(const char *bytes, int direction, uint64_t offset, size_t count);   // says what is wrong
uint32_t digest(const char *bytes, size_t count);

// futex.c
void wait_while(_Atomic uint32_t *word, uint32_t value, long nanoseconds);
void wake(_Atomic uint32_t *word);
void nap(long microseconds);
uint64_t now(void);

void clean_up(int finally);

// director.c, crew.c
int direct(const char *const *preloads);
void settle_places(void);                // STAGE_A and STAGE_B in the environment; without them loopback
int enter(int process);                   // its network namespace
void start_process(int process, const char *preload);
int process_is_alive(int process);
void give(int actor, int step);
int is_busy(int actor);

int await(int actor, long patience, long limit);   // microseconds; false if the actor sleeps inside its call
void interrupt_actor(int actor);
void dismiss(int actor);

#endif
