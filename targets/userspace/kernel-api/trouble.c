/* SPDX-License-Identifier: MIT */
/*
 * What goes wrong, named as the kernel's log would be: reports of AddressSanitizer
 * as KASAN's, faults as oopses, each with the first function of the module on the
 * stack. A report does not end the case, as KASAN's does not end the kernel; an
 * oops does.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#include "layer.h"
#include "symbols.h"

#include <linux/mutex.h>
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>

#define MAX_FRAMES 64u
/* Milliseconds of processor time for one case. */
unsigned int case_ms = 1000;

/* The module's own text: the build puts it into a section of this name. */
extern const char __start_module_text[] __attribute__((weak)), __stop_module_text[] __attribute__((weak));

struct trouble trouble;
sigjmp_buf after_death;
static volatile sig_atomic_t running;
/* Whether a wrong access of this case has been told. */
static bool address_told;
static uintptr_t stack_top;

static bool in_module(uintptr_t pc)
{
	return pc > (uintptr_t)__start_module_text && pc <= (uintptr_t)__stop_module_text;
}

/* The first frame of the module that says where, without what compilers add to names; 0 characters: there is none. */
static int where(const uintptr_t *frames, unsigned int count, const char **name)
{
	uintptr_t offset;
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (!in_module(frames[i]))
			continue;
		*name = symbol_at(frames[i] - (i > 0), &offset);
		return (int)strcspn(*name, ".");
	}
	return 0;
}

/* Follows frame pointers, which all our code and the module's keep. */
static unsigned int frames_from(uintptr_t pc, uintptr_t bp, uintptr_t *frames)
{
	uintptr_t low = (uintptr_t)__builtin_frame_address(0);
	unsigned int count = 0;

	frames[count++] = pc;
	while (count < MAX_FRAMES && bp > 4096 && bp % 8 == 0 && (bp >= low || stack_top == 0) && bp < stack_top) {
		const uintptr_t *at = (const uintptr_t *)bp;

		frames[count++] = at[1];
		if (at[0] <= bp)
			break;
		bp = at[0];
	}
	return count;
}

static void add_text(const char *text)
{
	size_t room = sizeof(trouble.text) - 1 - trouble.text_bytes, bytes = strlen(text);

	if (bytes > room)
		bytes = room;
	memcpy(trouble.text + trouble.text_bytes, text, bytes);
	trouble.text_bytes += bytes;
	trouble.text[trouble.text_bytes] = 0;
}

/* Frames of the module only: all others are ours. */
static void add_frames(const char *title, const uintptr_t *frames, unsigned int count)
{
	char line[256];
	unsigned int i;

	snprintf(line, sizeof(line), "%s\n", title);
	add_text(line);
	for (i = 0; i < count; i++) {
		uintptr_t offset;
		const char *name;

		if (!in_module(frames[i]))
			continue;
		name = symbol_at(frames[i] - (i > 0), &offset);
		snprintf(line, sizeof(line), "  %s+0x%lx [0x%lx]\n", name, offset, address_in_file(frames[i] - (i > 0)));
		add_text(line);
	}
}

static void title_of(char *title, size_t bytes, const char *name, const uintptr_t *frames, unsigned int count)
{
	const char *function;
	int length = where(frames, count, &function);

	if (length)
		snprintf(title, bytes, "%s in %.*s", name, length, function);
	else
		snprintf(title, bytes, "%s", name);
}

static void note(enum complaint_kind kind, const char *name, const uintptr_t *frames, unsigned int count)
{
	struct complaint one = { .kind = kind };
	unsigned int i;

	title_of(one.title, sizeof(one.title), name, frames, count);
	address_told = address_told || !strncmp(name, "kasan-", 6);
	for (i = 0; i < trouble.complaints; i++)
		if (!strcmp(trouble.complaint[i].title, one.title))
			return;
	if (trouble.complaints < MAX_COMPLAINTS)
		trouble.complaint[trouble.complaints++] = one;
	add_frames(one.title, frames, count);
}

bool address_reports_wanted(void)
{
	return running && !address_told;
}

void complain(enum complaint_kind kind, const char *name, bool with_frame)
{
	uintptr_t frames[MAX_FRAMES];
	unsigned int count = frames_from((uintptr_t)__builtin_return_address(0), (uintptr_t)__builtin_frame_address(0), frames);

	note(kind, name, frames, with_frame ? count : 0);
}

static __attribute__((noreturn)) void die_at(enum death_kind kind, const char *name, const uintptr_t *frames, unsigned int count)
{
	if (!running) {
		fprintf(stderr, "the layer fails outside of a case: %s\n", name);
		_exit(70);
	}
	running = 0;
	trouble.death = kind;
	title_of(trouble.title, sizeof(trouble.title), name, frames, count);
	add_frames(trouble.title, frames, count);
	siglongjmp(after_death, 1);
}

void die(enum death_kind kind, const char *name)
{
	uintptr_t frames[MAX_FRAMES];

	die_at(kind, name, frames, frames_from((uintptr_t)__builtin_return_address(0), (uintptr_t)__builtin_frame_address(0), frames));
}

void die_in(enum death_kind kind, const char *name, void *function)
{
	uintptr_t frame = (uintptr_t)function + 1;

	die_at(kind, name, &frame, 1);
}

void layer_bug(const char *file, int line)
{
	uintptr_t frames[MAX_FRAMES];

	printk(KERN_CRIT "kernel BUG at %s:%d!\n", file, line);
	die_at(DEATH_CRASH, "kernel-bug", frames, frames_from((uintptr_t)__builtin_return_address(0), (uintptr_t)__builtin_frame_address(0), frames));
}

void layer_warn(const char *file, int line)
{
	uintptr_t frames[MAX_FRAMES];

	printk(KERN_WARNING "WARNING: at %s:%d\n", file, line);
	note(COMPLAINT_CRASH, "warning", frames, frames_from((uintptr_t)__builtin_return_address(0), (uintptr_t)__builtin_frame_address(0), frames));
}

void layer_deadlock(void)
{
	die(DEATH_HANG, "hang");
}

void count_steps(unsigned int steps)
{
	if (steps > MAX_STEPS || (trouble.steps += steps) > MAX_STEPS)
		die(DEATH_HANG, "hang");
}

void made_progress(void)
{
	trouble.steps = 0;
}

void count_steps_of(unsigned int steps, void *function)
{
	if ((trouble.steps += steps) > MAX_STEPS)
		die_in(DEATH_HANG, "hang", function);
}

int printk(const char *format, ...)
{
	size_t room = sizeof(trouble.log) - trouble.log_bytes;
	va_list values;
	int n;

	if (room < 2)
		return 0;
	if (format[0] == 1 && format[1])
		format += 2;
	va_start(values, format);
	n = vsnprintf(trouble.log + trouble.log_bytes, room, format, values);
	va_end(values);
	if (n > 0)
		trouble.log_bytes += (size_t)n < room ? (size_t)n : room - 1;
	/* The kernel begins a new line with each message. */
	if (n > 0 && trouble.log[trouble.log_bytes - 1] != '\n' && trouble.log_bytes + 1 < sizeof(trouble.log))
		trouble.log[trouble.log_bytes++] = '\n';
	return n;
}

/* The frames of AddressSanitizer's own report: it has walked the stack from the access, we would do so from here. */
static unsigned int frames_of_report(const char *report, uintptr_t *frames)
{
	unsigned int count = 0;
	const char *line = report;

	while (count < MAX_FRAMES && (line = strstr(line, "    #")) != NULL) {
		const char *at = strstr(line, " 0x");
		unsigned int number = (unsigned int)strtoul(line + 5, NULL, 10);

		/* Another stack begins: where the memory came from. */
		if (!at || number != count)
			break;
		frames[count++] = strtoul(at + 1, NULL, 16);
		line = at;
	}
	return count;
}

/* What AddressSanitizer itself sees: string functions, and the stack. The rest comes through checks.c. */
static void on_report(const char *report)
{
	uintptr_t frames[MAX_FRAMES];
	unsigned int count = frames_of_report(report, frames);
	char name[96];
	const char *what;

	if (!running) {
		if (write(2, report, strlen(report)) < 0)
			_exit(71);
		_exit(70);
	}
	if (!address_reports_wanted())
		return;
	if (strstr(report, "AddressSanitizer: stack-"))
		what = "stack-out-of-bounds";
	else if (strstr(report, "AddressSanitizer: global-"))
		what = "global-out-of-bounds";
	else if (strstr(report, "AddressSanitizer: dynamic-stack"))
		what = "stack-out-of-bounds";
	else
		what = memory_name((uintptr_t)__asan_get_report_address());
	snprintf(name, sizeof(name), "kasan-%s-%s", what, __asan_get_report_access_type() ? "write" : "read");
	note(COMPLAINT_MEMORY, name, frames, count);
}

static void on_fault(int number, siginfo_t *info, void *context)
{
	const ucontext_t *c = context;
	uintptr_t frames[MAX_FRAMES];
	uintptr_t pc = (uintptr_t)c->uc_mcontext.gregs[REG_RIP], bp = (uintptr_t)c->uc_mcontext.gregs[REG_RBP];
	uintptr_t sp = (uintptr_t)c->uc_mcontext.gregs[REG_RSP];
	const char *name;
	unsigned int count;

	(void)info;
	/* A call of what is no code: the caller is on the stack. */
	if (number == SIGSEGV && (pc < 4096 || pc == (uintptr_t)info->si_addr) && sp > 4096 && sp < stack_top) {
		frames[0] = pc;
		count = 1 + frames_from(*(const uintptr_t *)sp, bp, frames + 1);
		if (count > MAX_FRAMES)
			count = MAX_FRAMES;
	} else {
		count = frames_from(pc, bp, frames);
	}
	switch (number) {
	case SIGFPE:
		name = "divide-error";
		break;
	case SIGILL:
		name = "invalid-opcode";
		break;
	case SIGPROF:
		die_at(DEATH_HANG, "hang", frames, count);
	case SIGABRT:
		name = "abort";
		break;
	default:
		name = (uintptr_t)info->si_addr < sp && sp - (uintptr_t)info->si_addr < 65536 && stack_top - sp > (7u << 20) ? "stack-overflow" : "page-fault";
		break;
	}
	die_at(DEATH_CRASH, name, frames, count);
}

/* libFuzzer and the like have handlers of their own and end with the first report. */
const char *__asan_default_options(void)
{
	return "halt_on_error=0:handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:handle_abort=0:symbolize=0:stack_trace_format='    #%n %p':"
	       "suppress_equal_pcs=0:detect_leaks=0:detect_stack_use_after_return=0:print_legend=0:print_full_thread_history=0:"
	       "allocator_may_return_null=1:print_module_map=0";
}

void trouble_prepare(void)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGPROF };
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };
	stack_t stack = { .ss_size = 256u << 10 };
	unsigned int i;

	symbols_prepare((uintptr_t)__start_module_text, (uintptr_t)__stop_module_text);
	stack.ss_sp = malloc(stack.ss_size);
	sigaltstack(&stack, NULL);
	for (i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaction(signals[i], &action, NULL);
	__asan_set_error_report_callback(on_report);
	/* The callback has all of it. */
	__sanitizer_set_report_fd((void *)(intptr_t)open("/dev/null", O_WRONLY | O_CLOEXEC));
}

/* Called in the frame below which everything of the case runs. */
void trouble_begin(void)
{
	struct itimerval limit = { .it_value = { case_ms / 1000, case_ms % 1000 * 1000 } };

	stack_top = (uintptr_t)__builtin_frame_address(0) + (64u << 10);
	address_told = false;
	trouble.death = DEATH_NONE;
	trouble.complaints = 0;
	trouble.text_bytes = 0;
	trouble.text[0] = 0;
	trouble.log_bytes = 0;
	trouble.title[0] = 0;
	trouble.steps = 0;
	running = 1;
	setitimer(ITIMER_PROF, &limit, NULL);
}

void trouble_end(void)
{
	struct itimerval none = { 0 };

	running = 0;
	setitimer(ITIMER_PROF, &none, NULL);
}
