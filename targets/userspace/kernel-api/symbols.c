/* SPDX-License-Identifier: MIT */
/* Names of the module's functions, from the program's own symbol table: lines cost too much to be looked up for each report. */
#define _GNU_SOURCE
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "symbols.h"

struct function {
	uintptr_t start;
	const char *name;
};

static struct function *functions;
static unsigned int count;
static uintptr_t base;

static int find_base(struct dl_phdr_info *info, size_t bytes, void *data)
{
	(void)bytes;
	(void)data;
	/* The program is the first. */
	base = info->dlpi_addr;
	return 1;
}

static int by_start(const void *a, const void *b)
{
	uintptr_t x = ((const struct function *)a)->start, y = ((const struct function *)b)->start;

	return x < y ? -1 : x > y;
}

/* The file is our own, written by the linker; it stays mapped for the names. */
void symbols_prepare(uintptr_t from, uintptr_t to)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	const Elf64_Shdr *section;
	const Elf64_Ehdr *head;
	struct stat about;
	const char *file;
	unsigned int i, k;

	if (fd < 0 || fstat(fd, &about))
		return;
	file = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (file == MAP_FAILED)
		return;
	dl_iterate_phdr(find_base, NULL);
	head = (const Elf64_Ehdr *)file;
	section = (const Elf64_Shdr *)(file + head->e_shoff);
	for (i = 0; i < head->e_shnum; i++) {
		const Elf64_Sym *symbol = (const Elf64_Sym *)(file + section[i].sh_offset);
		const char *names;

		if (section[i].sh_type != SHT_SYMTAB)
			continue;
		names = file + section[section[i].sh_link].sh_offset;
		functions = calloc(section[i].sh_size / sizeof(*symbol), sizeof(*functions));
		for (k = 0; functions && k < section[i].sh_size / sizeof(*symbol); k++) {
			uintptr_t start = symbol[k].st_value + base;

			if (ELF64_ST_TYPE(symbol[k].st_info) == STT_FUNC && start >= from && start < to)
				functions[count++] = (struct function){ start, names + symbol[k].st_name };
		}
	}
	qsort(functions, count, sizeof(*functions), by_start);
}

const char *symbol_at(uintptr_t pc, uintptr_t *offset)
{
	unsigned int low = 0, high = count;

	while (low < high) {
		unsigned int middle = (low + high) / 2;

		if (functions[middle].start <= pc)
			low = middle + 1;
		else
			high = middle;
	}
	*offset = low ? pc - functions[low - 1].start : 0;
	return low ? functions[low - 1].name : "?";
}

uintptr_t address_in_file(uintptr_t pc)
{
	return pc - base;
}
