/* SPDX-License-Identifier: MIT */
/* BUG ends the case as an oops would end the guest; WARN is noted and the case goes on. */
#ifndef _LINUX_BUG_H
#define _LINUX_BUG_H

#include <linux/compiler.h>
#include <linux/types.h>

__attribute__((noreturn)) void layer_bug(const char *file, int line);
void layer_warn(const char *file, int line);

#define BUG() layer_bug(__FILE__, __LINE__)
#define BUG_ON(condition) do { if (unlikely(condition)) BUG(); } while (0)
#define WARN_ON(condition) ({ \
	int warn_on = !!(condition); \
	if (unlikely(warn_on)) layer_warn(__FILE__, __LINE__); \
	unlikely(warn_on); })
#define WARN(condition, ...) ({ \
	int warn_if = !!(condition); \
	if (unlikely(warn_if)) { printk(__VA_ARGS__); layer_warn(__FILE__, __LINE__); } \
	unlikely(warn_if); })
#define WARN_ON_ONCE(condition) WARN_ON(condition)
#define WARN_ONCE(condition, ...) WARN(condition, __VA_ARGS__)

#endif
