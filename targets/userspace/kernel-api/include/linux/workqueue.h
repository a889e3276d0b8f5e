/* SPDX-License-Identifier: MIT */
/* Work runs in the order in which it was queued, when whoever submitted it waits: the same in every run. */
#ifndef _LINUX_WORKQUEUE_H
#define _LINUX_WORKQUEUE_H

#include <linux/kernel.h>

struct workqueue_struct;
struct work_struct;
typedef void (*work_func_t)(struct work_struct *work);

struct work_struct {
	work_func_t func;
	struct work_struct *next;
	struct workqueue_struct *wq;
	unsigned char pending;
};

enum { WQ_UNBOUND = 2, WQ_FREEZABLE = 4, WQ_MEM_RECLAIM = 8, WQ_HIGHPRI = 16, WQ_CPU_INTENSIVE = 32, WQ_SYSFS = 64 };
#define WQ_MAX_ACTIVE 512
#define WORK_CPU_UNBOUND 64

extern struct workqueue_struct *system_wq, *system_unbound_wq, *system_long_wq;

struct workqueue_struct *alloc_workqueue(const char *name, unsigned int flags, int max_active, ...);
#define alloc_ordered_workqueue(name, flags, ...) alloc_workqueue(name, flags, 1, ##__VA_ARGS__)
#define create_singlethread_workqueue(name) alloc_workqueue(name, 0, 1)
void destroy_workqueue(struct workqueue_struct *wq);
void flush_workqueue(struct workqueue_struct *wq);
#define drain_workqueue flush_workqueue
bool queue_work(struct workqueue_struct *wq, struct work_struct *work);
#define queue_work_on(cpu, wq, work) ((void)(cpu), queue_work(wq, work))
#define schedule_work(work) queue_work(system_wq, work)
bool flush_work(struct work_struct *work);
bool cancel_work_sync(struct work_struct *work);

#define INIT_WORK(w, f) do { (w)->func = (f); (w)->next = NULL; (w)->wq = NULL; (w)->pending = 0; } while (0)
#define INIT_WORK_ONSTACK INIT_WORK
#define destroy_work_on_stack(w) ((void)(w))

#endif
