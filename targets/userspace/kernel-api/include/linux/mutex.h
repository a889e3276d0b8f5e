/* SPDX-License-Identifier: MIT */
/* One thread: a lock that is taken twice would never be given. */
#ifndef _LINUX_MUTEX_H
#define _LINUX_MUTEX_H

#include <linux/kernel.h>

struct mutex { int held; };
typedef struct { int held; } spinlock_t;
struct rw_semaphore { int held; };

__attribute__((noreturn)) void layer_deadlock(void);
#define layer_take(lock) do { if ((lock)->held) layer_deadlock(); (lock)->held = 1; } while (0)
#define layer_give(lock) ((void)((lock)->held = 0))

#define mutex_init(lock) layer_give(lock)
#define mutex_destroy(lock) ((void)(lock))
#define mutex_lock(lock) layer_take(lock)
#define mutex_unlock(lock) layer_give(lock)
#define DEFINE_MUTEX(name) struct mutex name
#define spin_lock_init(lock) layer_give(lock)
#define spin_lock(lock) layer_take(lock)
#define spin_unlock(lock) layer_give(lock)
#define spin_lock_irq(lock) layer_take(lock)
#define spin_unlock_irq(lock) layer_give(lock)
#define spin_lock_irqsave(lock, flags) do { (flags) = 0; layer_take(lock); } while (0)
#define spin_unlock_irqrestore(lock, flags) do { (void)(flags); layer_give(lock); } while (0)
#define DEFINE_SPINLOCK(name) spinlock_t name
#define init_rwsem(lock) layer_give(lock)
#define down_read(lock) layer_take(lock)
#define up_read(lock) layer_give(lock)
#define down_write(lock) layer_take(lock)
#define up_write(lock) layer_give(lock)

#endif
