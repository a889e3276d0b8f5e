/* SPDX-License-Identifier: MIT */
#ifndef _LINUX_LIST_H
#define _LINUX_LIST_H

#include <linux/kernel.h>

#define LIST_HEAD_INIT(name) { &(name), &(name) }
#define LIST_HEAD(name) struct list_head name = LIST_HEAD_INIT(name)
#define INIT_LIST_HEAD(head) do { (head)->next = (head); (head)->prev = (head); } while (0)

static inline void list_add_between(struct list_head *one, struct list_head *prev, struct list_head *next)
{
	next->prev = one;
	one->next = next;
	one->prev = prev;
	prev->next = one;
}
#define list_add(one, head) list_add_between(one, head, (head)->next)
#define list_add_tail(one, head) list_add_between(one, (head)->prev, head)
static inline void list_del(struct list_head *one)
{
	one->next->prev = one->prev;
	one->prev->next = one->next;
	one->next = (struct list_head *)0x100;
	one->prev = (struct list_head *)0x122;
}
static inline void list_del_init(struct list_head *one)
{
	list_del(one);
	INIT_LIST_HEAD(one);
}
#define list_empty(head) ((head)->next == (head))
#define list_entry(p, type, member) container_of(p, type, member)
#define list_first_entry(head, type, member) list_entry((head)->next, type, member)
#define list_for_each_entry(at, head, member) \
	for (at = list_entry((head)->next, __typeof__(*at), member); &at->member != (head); \
	     at = list_entry(at->member.next, __typeof__(*at), member))
#define list_for_each_entry_safe(at, after, head, member) \
	for (at = list_entry((head)->next, __typeof__(*at), member), after = list_entry(at->member.next, __typeof__(*at), member); \
	     &at->member != (head); at = after, after = list_entry(after->member.next, __typeof__(*after), member))

#endif
