/* SPDX-License-Identifier: MIT */
/*
 * The guest agent: PID 1 of the test VM. It builds device-mapper devices over
 * slices of one "mailbox" disk, reads them, and tells the host what happened.
 * The byte protocol is written down in PROTOCOL.md.
 */
#ifndef OVBD_AGENT_H
#define OVBD_AGENT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define AGENT_PROTOCOL 4u

#define MAX_COMMAND (8u << 20)  /* bytes of one command's payload */
#define MAX_DEVICES 1024u       /* devices of one case */
#define MAX_LINES 65536u        /* table lines of one device */
#define MAX_PARAMS 65536u       /* bytes of one line's parameters, after substitution */
#define MAX_READS 4096u         /* reads of one case */
#define MAX_READ (16u << 20)    /* bytes of one read */
#define MAX_PIECES 1024u        /* buffers of one read: IOV_MAX */
#define MAX_ACTIONS 64u         /* actions of one case */
#define MAX_MESSAGES 256u       /* to one device, when it is made */
#define MAX_MESSAGE 256u        /* bytes of one of them */
#define MAX_WRITE (64u << 10)   /* bytes of one attempt to write */
#define MAX_HELD 8u             /* devices held at a time */
#define MAX_READERS 8u          /* that read at the same time */
#define MAX_ROUNDS 1024u        /* times that each of them does the reads */
#define MAX_LOG (16u << 10)     /* bytes of kernel log sent with one case */
#define MAX_RESCUE_LOG (64u << 10)
#define MAX_COUNTED 64u         /* files of counters sent at a time */
#define MAX_COUNTERS (1u << 20) /* bytes of one of them */

enum {
	CMD_PING = 0x01,
	CMD_CASE = 0x02,
	CMD_BENCH = 0x03,
	CMD_TEST = 0x04,
	CMD_CYCLE = 0x05,
	CMD_RELOAD = 0x06,
	CMD_MOUNT = 0x07,
	CMD_COVERAGE = 0x08,
	CMD_RESCUE = 0x10,

	MSG_HELLO = 0x81,
	MSG_BEGIN = 0x82,
	MSG_OPEN = 0x83,
	MSG_READ = 0x84,
	MSG_END = 0x85,
	MSG_BENCH = 0x86,
	MSG_ERROR = 0x87,
	MSG_ACTION = 0x88,
	MSG_CENSUS = 0x89,
	MSG_RELOAD = 0x8a,
	MSG_CROWD = 0x8b,
	MSG_ENTRY = 0x8d,
	MSG_MOUNT = 0x8c,
	MSG_COVERAGE = 0x8e,
	MSG_RESCUE = 0x90,
};

enum { STAGE_DONE, STAGE_CREATE, STAGE_LOAD, STAGE_RESUME, STAGE_OPEN, STAGE_SUSPEND, STAGE_REMOVE };

/* Of a COVERAGE: in this order. OPENS is from then on. */
enum { COVERAGE_SEND = 1, COVERAGE_RESET = 2, COVERAGE_OPENS = 4 };

enum { READ_DIRECT = 1, READ_MAPPED = 2, READ_PIECES = 4, READ_HUGE = 8 };

/* Bits of a device's first byte. HELD: opened for nobody else before the next device is made. REPLACES: it had another table before. MESSAGES: its targets are told something when it is made. */
enum { DEVICE_SLICE = 1, DEVICE_WRITABLE = 2, DEVICE_HELD = 4, DEVICE_REPLACES = 8, DEVICE_MESSAGES = 16 };

enum { MEANWHILE_NOTHING, MEANWHILE_SUSPEND, MEANWHILE_RELOAD, MEANWHILE_REMOVE, MEANWHILE_DEFER, MEANWHILES };

enum { ACT_RELOAD, ACT_WRITE, ACT_DISCARD, ACT_SECURE_DISCARD, ACT_ZERO_OUT, ACT_FLUSH, ACT_IOCTLS, ACT_MESSAGE };

/* files.c */
/* Reads an open file to its end, or to the buffer's, and closes it; a descriptor below 0 stands for errno. Returns an errno, with which the length is 0. */
int read_whole(int fd, uint8_t *bytes, size_t capacity, size_t *length);
/* The text of a small file of the kernel's; empty where there is none. */
void slurp(const char *path, char *text, size_t size);
/* Returns an errno. */
int write_text(const char *path, const char *text, size_t length);
/* Makes the kernel give back what it keeps only to be fast. */
void drop_caches(void);

/* wire.c: frames and bounded parsing. */
struct cursor {
	const uint8_t *at;
	size_t left;
	int bad; /* set for good once something did not fit */
};
uint8_t take_u8(struct cursor *c);
uint16_t take_u16(struct cursor *c);
uint32_t take_u32(struct cursor *c);
uint64_t take_u64(struct cursor *c);
const uint8_t *take_bytes(struct cursor *c, size_t n);
uint8_t *put_u8(uint8_t *p, uint8_t v);
uint8_t *put_u16(uint8_t *p, uint16_t v);
uint8_t *put_u32(uint8_t *p, uint32_t v);
uint8_t *put_u64(uint8_t *p, uint64_t v);
/* Reads one frame; returns its type, payload in *payload (valid until the next call). */
int receive_frame(int port, uint8_t *buffer, size_t capacity, size_t *length);
/* Sends head and body as one frame. */
void send_frame(int port, int type, const void *head, size_t head_bytes, const void *body, size_t body_bytes);
void send_error(int port, const char *text);

/* dm.c: devices of one case. */
struct device {
	char name[24];
	uint64_t dev;
	int made;
	int slice; /* a piece of the mailbox: kept for the next case, which gives it another table */
	int writable; /* its tables are loaded for writing, too */
};
extern char mailbox[32];
int dm_open_control(void);
int dm_create(struct device *d);
/* Parses the table at c and loads it; with c->bad set the table itself was malformed. */
int dm_load(const struct device *d, struct cursor *c, const struct device *all);
int dm_resume(const struct device *d);
int dm_suspend(const struct device *d, int noflush);
/* Tells the target at that sector something, as `dmsetup message` does. */
int dm_message(const struct device *d, uint64_t sector, const uint8_t *text, size_t length);
/* The names of all targets that the kernel has, with blanks between them. */
void dm_list_targets(char *text, size_t size);
int dm_remove(const struct device *d);
/* Removes the device as soon as nobody holds it open. */
int dm_remove_later(const struct device *d);
int dm_cancel_removal(const struct device *d);
/* EBUSY where somebody holds the device open, or another errno, or 0. */
int dm_idle(const struct device *d);
/* Steps over one device's table without using it; c->bad tells whether it is well-formed. */
void dm_skip_table(struct cursor *c);
int dm_open_node(const struct device *d, int flags);

/* action.c */
struct action {
	uint16_t before, device;
	uint8_t kind;
	uint64_t offset;
	uint32_t length;
	struct cursor table; /* of ACT_RELOAD */
	const uint8_t *text; /* of ACT_MESSAGE, `length` bytes */
};
/* Parses one action; its device is not looked at. */
int take_action(struct cursor *c, struct action *a);
/* Does it; returns its errno. */
int do_action(const struct action *a, const struct device *all);

/* case.c */
int case_prepare(void);
struct read_result;
/* `by`: 0 for the reader that reads alone, else one more than a reader's number in the crowd. */
void send_read(int port, uint32_t number, unsigned index, unsigned by, const struct read_result *r);
void run_case(int port, struct cursor *c);
void run_bench(int port, struct cursor *c);
void run_cycle(int port, struct cursor *c);
void run_mount(int port, struct cursor *c);

/* tree.c */
int send_tree(int port, const struct device *d, const char *type);

/* cycle.c */
/* Tells what the kernel holds, after `done` cycles of which `opened` had a device to read. */
void send_census(int port, uint32_t done, uint32_t opened, uint32_t error);
void run_reload(int port, struct cursor *c);

/* gcov.c */
void run_coverage(int port, struct cursor *c);
/* Sends the counters of the path of a COVERAGE that asked for them whenever a case has its devices. */
void send_opened(int port);

/* reader.c */
struct read_result {
	int64_t result;
	uint32_t before, after;
	int64_t first;
	/* Where the first run of untouched bytes begins that were said to be read; -1: none. */
	int64_t untouched;
	const uint8_t *bytes;
};
/* Memory to read into: small pages, and huge ones where the kernel has them. */
struct reader {
	uint8_t *small, *huge;
};
/* A read of a CASE. */
struct read_plan {
	uint16_t device, flags;
	uint32_t buffer_offset;
	uint64_t offset;
	uint32_t length;
	/* 0: one buffer; else u32 lengths, little-endian, whose sum is `length`. */
	unsigned pieces;
	const uint8_t *piece_lengths;
};
int reader_prepare(struct reader *r);
void read_as_planned(struct reader *r, int fd, uint64_t device_bytes, const struct read_plan *p, uint64_t salt, struct read_result *out);
/* Gives the memory back to the kernel; the next read takes it again. */
void reader_forget(struct reader *r);
/* One read of 1 MiB without looking at anything around it; bytes or -errno. */
ssize_t read_plainly(struct reader *r, int fd, uint64_t offset);

/* crowd.c: many readers at once. */
struct crowd_plan {
	int port;
	uint32_t number;
	uint64_t salt, bytes;
	unsigned readers, rounds, meanwhile, count;
	const struct read_plan *reads;
	/* What one reader alone got, and whether somebody got something else. */
	uint64_t *digests;
	uint8_t *differs;
	/* The device, open O_DIRECT and through the page cache; -1 where no read needs it. */
	int direct, buffered;
	const struct device *target, *devices;
	struct cursor table;
};
uint64_t digest_of(const struct read_result *r);
void run_crowd(const struct crowd_plan *plan);

/* klog.c */
struct klog {
	char *text;
	size_t capacity, head, tail;
	unsigned dropped;
	int full;
};
int klog_open(void);
void klog_reset(struct klog *k, char *text, size_t capacity);
void klog_add(struct klog *k, const char *line, size_t length);
void klog_drain(int fd, struct klog *k);
size_t klog_finish(struct klog *k);
uint64_t read_taint(void);

/* rescue.c: the process behind the second port. */
void rescue_loop(int port);

uint64_t now_ns(void);

#endif
