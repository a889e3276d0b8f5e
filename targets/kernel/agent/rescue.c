// SPDX-License-Identifier: MIT
/*
 * The process behind the second port. The agent may be stuck inside the
 * kernel; this one still answers, with all stacks and workqueues.
 */
#define _GNU_SOURCE
#include "agent.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void sysrq(char key)
{
	int fd = open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, &key, 1) != 1)
		usleep(1000);
	close(fd);
}

/* One thread's kernel stack, in the shape of a call trace. */
static void add_stack(struct klog *k, const char *path)
{
	FILE *f = fopen(path, "re");
	char line[256], text[300];

	if (!f)
		return;
	klog_add(k, "<6>agent stack\n", 15);
	klog_add(k, "<6>Call Trace:\n", 15);
	while (fgets(line, sizeof(line), f)) {
		char *frame = strstr(line, "] ");

		if (frame)
			klog_add(k, text, snprintf(text, sizeof(text), "<6> %s", frame + 2));
	}
	fclose(f);
}

/* The agent's own kernel stacks: those of readers in a crowd first, since the first thread only waits for them. */
static void add_agent_stacks(struct klog *k)
{
	DIR *tasks = opendir("/proc/1/task");
	struct dirent *entry;

	while (tasks && (entry = readdir(tasks))) {
		char path[300];

		if (entry->d_name[0] == '.' || !strcmp(entry->d_name, "1"))
			continue;
		snprintf(path, sizeof(path), "/proc/1/task/%s/stack", entry->d_name);
		add_stack(k, path);
	}
	if (tasks)
		closedir(tasks);
	add_stack(k, "/proc/1/stack");
}

void rescue_loop(int port)
{
	static uint8_t command[64];
	static char text[MAX_RESCUE_LOG];
	struct klog log;
	size_t length;
	int kmsg = klog_open();

	for (;;) {
		if (receive_frame(port, command, sizeof(command), &length) != CMD_RESCUE)
			continue;
		klog_reset(&log, text, sizeof(text));
		if (kmsg >= 0)
			lseek(kmsg, 0, SEEK_DATA); /* from where the agent last cleared */
		klog_drain(kmsg, &log);
		add_agent_stacks(&log);
		/* Every task's stack, then what each workqueue has in flight. */
		sysrq('t');
		klog_drain(kmsg, &log);
		send_frame(port, MSG_RESCUE, "", 0, text, klog_finish(&log));
	}
}
