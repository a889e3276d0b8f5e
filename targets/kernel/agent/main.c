// SPDX-License-Identifier: MIT
/* PID 1 of the test VM: sets the guest up, then obeys the host until the VM is thrown away. */
#define _GNU_SOURCE
#include "agent.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#include <linux/fs.h>

static char problems[1024]; /* what went wrong before the host could be told */
static uint8_t command[MAX_COMMAND];

uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void problem(const char *format, ...)
{
	size_t used = strlen(problems);
	va_list args;

	va_start(args, format);
	vsnprintf(problems + used, sizeof(problems) - used, format, args);
	va_end(args);
	printf("agent: %s\n", problems + used);
	fflush(stdout);
}

static void mount_on(const char *what, const char *where, const char *type)
{
	mkdir(where, 0755);
	if (mount(what, where, type, 0, NULL) && errno != EBUSY)
		problem("mount %s: %s; ", where, strerror(errno));
}

static void insert_modules(void)
{
	FILE *order = fopen("/modules/order", "re");
	char name[128], path[160];

	if (!order) {
		problem("no /modules/order; ");
		return;
	}
	while (fgets(name, sizeof(name), order)) {
		int fd;

		name[strcspn(name, "\r\n")] = 0;
		if (!name[0])
			continue;
		snprintf(path, sizeof(path), "/modules/%s", name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST))
			problem("module %s: %s; ", name, strerror(errno));
		if (fd >= 0)
			close(fd);
	}
	fclose(order);
}

/* First line of a small file, without its end; empty where there is none. */
static void first_line(const char *path, char *text, size_t size)
{
	slurp(path, text, size);
	text[strcspn(text, "\n")] = 0;
}

static int try_port(const char *wanted)
{
	DIR *dir = opendir("/sys/class/virtio-ports");
	struct dirent *entry;
	int fd = -1;

	while (dir && fd < 0 && (entry = readdir(dir))) {
		char path[320], name[64];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/sys/class/virtio-ports/%s/name", entry->d_name);
		first_line(path, name, sizeof(name));
		if (strcmp(name, wanted))
			continue;
		snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
		fd = open(path, O_RDWR | O_CLOEXEC);
	}
	if (dir)
		closedir(dir);
	return fd;
}

static int find_port(const char *name)
{
	int i, fd = -1;

	for (i = 0; i < 2000 && fd < 0; i++) {
		fd = try_port(name);
		if (fd < 0)
			usleep(5000);
	}
	return fd;
}

static uint64_t find_mailbox(void)
{
	uint64_t bytes = 0;
	char sectors[32] = "";
	int i;

	for (i = 0; i < 1000; i++) {
		first_line("/sys/block/vda/dev", mailbox, sizeof(mailbox));
		if (mailbox[0])
			break;
		usleep(5000);
	}
	first_line("/sys/block/vda/size", sectors, sizeof(sectors));
	bytes = strtoull(sectors, NULL, 10) * 512;
	if (!bytes)
		problem("no mailbox disk; ");
	return bytes;
}

static void say_hello(int port, uint32_t nonce, uint64_t mailbox_bytes)
{
	uint8_t head[64], *q = head;
	struct utsname u;
	char text[2400], targets[1024];
	int n;

	uname(&u);
	dm_list_targets(targets, sizeof(targets));
	n = snprintf(text, sizeof(text), "%s\n%s\n%s", u.release, targets, problems);
	q = put_u32(q, AGENT_PROTOCOL);
	q = put_u32(q, nonce);
	q = put_u64(q, read_taint());
	q = put_u64(q, mailbox_bytes);
	send_frame(port, MSG_HELLO, head, q - head, text, n);
}

static void spit(const char *path, const void *bytes, size_t n)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, bytes, n) < 0)
		usleep(1);
	close(fd);
}

/* What only our own tests ask for: a panic, silence, spinning, a line in the kernel log. */
static void run_test_command(struct cursor *c)
{
	switch (take_u8(c)) {
	case 0:
		spit("/proc/sysrq-trigger", "c", 1);
		break;
	case 1:
		for (;;)
			pause();
	case 2:
		spit("/dev/kmsg", c->at, c->left);
		break;
	}
}

int main(void)
{
	uint64_t mailbox_bytes;
	int port, rescue, console;

	mount_on("dev", "/dev", "devtmpfs");
	mount_on("proc", "/proc", "proc");
	mount_on("sys", "/sys", "sysfs");
	mount_on("run", "/run", "tmpfs");
	console = open("/dev/console", O_RDWR);
	if (console >= 0) {
		dup2(console, 0);
		dup2(console, 1);
		dup2(console, 2);
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	spit("/proc/self/oom_score_adj", "-1000", 5);
	spit("/proc/sys/kernel/sysrq", "1", 1);
	/* /dev/kmsg drops lines that userspace writes too fast; ours are few and must arrive. */
	spit("/proc/sys/kernel/printk_devkmsg", "on", 2);

	insert_modules();
	rescue = find_port("ovbd.rescue");
	if (rescue < 0)
		problem("no rescue port; ");
	else if (fork() == 0)
		rescue_loop(rescue);

	mailbox_bytes = find_mailbox();
	if (dm_open_control() < 0)
		problem("no device-mapper: %s; ", strerror(errno));
	if (case_prepare())
		problem("no memory for the arena; ");
	port = find_port("ovbd.agent");
	if (port < 0) {
		problem("no agent port; ");
		for (;;)
			pause();
	}
	say_hello(port, 0, mailbox_bytes);

	for (;;) {
		size_t length = 0;
		int type = receive_frame(port, command, sizeof(command), &length);
		struct cursor c = { command, length, 0 };

		switch (type) {
		case CMD_PING:
			say_hello(port, take_u32(&c), mailbox_bytes);
			break;
		case CMD_CASE:
			run_case(port, &c);
			break;
		case CMD_BENCH:
			run_bench(port, &c);
			break;
		case CMD_CYCLE:
			run_cycle(port, &c);
			break;
		case CMD_MOUNT:
			run_mount(port, &c);
			break;
		case CMD_RELOAD:
			run_reload(port, &c);
			break;
		case CMD_COVERAGE:
			run_coverage(port, &c);
			break;
		case CMD_TEST:
			run_test_command(&c);
			break;
		default:
			send_error(port, "unknown command");
		}
	}
}
