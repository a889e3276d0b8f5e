/* SPDX-License-Identifier: MIT */
/* Checksums of a layer's file after it was changed, so that a reader looks further than at them. */
#ifndef OVBD_RESEAL_H
#define OVBD_RESEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum layer_kind { LAYER_OTHER, LAYER_ZFILE, LAYER_LSMT };

enum layer_kind kind_of(const uint8_t *file, size_t length);
/* Where a header or trailer begins: the trailer where `last` and there is room for one. */
size_t header_at(enum layer_kind kind, size_t length, bool last);
/* The index: gives the entries that lie in the file, at *at. */
size_t index_of(const uint8_t *file, size_t length, enum layer_kind kind, bool last, size_t *at);
/* Block `number` of a ZFile, which begins where the entries before it end: gives its stored bytes, checksum included, at *at; 0: there is none. */
size_t block_of(const uint8_t *file, size_t length, bool last, size_t number, size_t *at);
void seal_block(uint8_t *file, size_t length, size_t at, size_t bytes);
/* Index and header checksums of header and trailer. */
void seal_headers(uint8_t *file, size_t length);

#endif
