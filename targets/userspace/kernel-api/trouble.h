/* SPDX-License-Identifier: MIT */
/* What went wrong with a case: the part of kernel-api/layer.h that does not need the kernel's headers. */
#ifndef OVBD_TROUBLE_H
#define OVBD_TROUBLE_H

/* Bytes of a case's log and of the stacks of what went wrong. */
#define LOG_BYTES (16u << 10)
#define TEXT_BYTES (8u << 10)
#define MAX_COMPLAINTS 8u

enum complaint_kind { COMPLAINT_CRASH, COMPLAINT_MEMORY, COMPLAINT_LEAK };
enum death_kind { DEATH_NONE, DEATH_CRASH, DEATH_HANG };

struct complaint {
	enum complaint_kind kind;
	char title[160];
};

/* What went wrong with the last case. */
struct trouble {
	enum death_kind death;
	char title[160];
	/* Stacks, for people. */
	char text[TEXT_BYTES];
	unsigned int text_bytes;
	struct complaint complaint[MAX_COMPLAINTS];
	unsigned int complaints;
	char log[LOG_BYTES];
	unsigned int log_bytes;
	unsigned int steps;
};
extern struct trouble trouble;
/* Milliseconds of processor time that a case has before it hangs. */
extern unsigned int case_ms;

#endif
