/* The seam of the verbs calls: which objects are ours, and where the real library's calls are. */
#ifndef FREEFLOW_VERBS_H
#define FREEFLOW_VERBS_H

/* The virtual device: its address tells our objects from a real device's. Zeros behind struct ibv_device: what providers look for there is not found. */
extern unsigned char ff_verbs_device[];
extern void *ff_verbs_table[];
extern const char *const ff_verbs_names[];
extern int ff_verbs_work; /* 1: the core is open, and its methods can be called by address */

/* Begin and end of the pages that are being moved, 0 if none are; then how many moves there have been. */
extern unsigned long ff_verbs_moving[3];

/* True if the fault was a store into pages that were being moved, and they are at their new place now: the store is to be made again. */
int ff_verbs_waits(const void *address);

/* The real library's call; NULL if no library that is loaded has it. */
void *ff_verbs_real(const char *name);

/* Opens the core if need be; false if there can be no virtual device in this process. */
int ff_verbs_open(void);

/* True for the names of libibverbs and librdmacm. */
int ff_is_of_verbs(const char *name);

/* struct ibv_context begins with its device, every other object with its context. */
static inline int ff_is_our_device(const void *device) { return device == ff_verbs_device; }
static inline int ff_is_our_context(const void *context) { return context && *(void *const *)context == ff_verbs_device; }
static inline int ff_is_ours(const void *object) { return object && ff_is_our_context(*(void *const *)object); }

/* struct ibv_async_event: an object, or a port's number, then the type (enum ibv_event_type: some have a port, or nothing). */
int ff_is_our_event(const void *event);

#endif
