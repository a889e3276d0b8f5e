/* SPDX-License-Identifier: MIT */
/* There is one thread, so what is atomic is plain. */
#ifndef _LINUX_ATOMIC_H
#define _LINUX_ATOMIC_H

#include <linux/kernel.h>

#define ATOMIC_INIT(i) { (i) }
#define atomic_read(v) ((v)->counter)
#define atomic_set(v, i) ((void)((v)->counter = (i)))
#define atomic_inc(v) ((void)(v)->counter++)
#define atomic_dec(v) ((void)(v)->counter--)
#define atomic_add(i, v) ((void)((v)->counter += (i)))
#define atomic_sub(i, v) ((void)((v)->counter -= (i)))
#define atomic_inc_return(v) (++(v)->counter)
#define atomic_dec_return(v) (--(v)->counter)
#define atomic_dec_and_test(v) (--(v)->counter == 0)
#define atomic64_read(v) ((v)->counter)
#define atomic64_set(v, i) ((void)((v)->counter = (i)))
#define atomic64_inc(v) ((void)(v)->counter++)
#define atomic64_add(i, v) ((void)((v)->counter += (i)))

#endif
