/* SPDX-License-Identifier: MIT */
#ifndef OVBD_SYMBOLS_H
#define OVBD_SYMBOLS_H

#include <stdint.h>

/* Takes the functions that begin in [from, to). */
void symbols_prepare(uintptr_t from, uintptr_t to);
/* The name of the function as the linker has it, and how far into it. */
const char *symbol_at(uintptr_t pc, uintptr_t *offset);
/* The address by which the program's file and its debug information have it. */
uintptr_t address_in_file(uintptr_t pc);

#endif
