/* SPDX-License-Identifier: MIT */
/* The kernel log: kept for the case that runs. */
#ifndef _LINUX_PRINTK_H
#define _LINUX_PRINTK_H

#include <linux/compiler.h>

#define KERN_ERR "\0013"
#define KERN_WARNING "\0014"
#define KERN_INFO "\0016"
#define KERN_DEBUG "\0017"
#define KERN_CRIT "\0012"
#define KERN_NOTICE "\0015"
#define KERN_CONT "\001c"

int printk(const char *format, ...) __printf(1, 2);

#ifndef pr_fmt
#define pr_fmt(format) format
#endif
#define pr_emerg(format, ...) printk("\0010" pr_fmt(format), ##__VA_ARGS__)
#define pr_alert(format, ...) printk("\0011" pr_fmt(format), ##__VA_ARGS__)
#define pr_crit(format, ...) printk(KERN_CRIT pr_fmt(format), ##__VA_ARGS__)
#define pr_err(format, ...) printk(KERN_ERR pr_fmt(format), ##__VA_ARGS__)
#define pr_warn(format, ...) printk(KERN_WARNING pr_fmt(format), ##__VA_ARGS__)
#define pr_notice(format, ...) printk(KERN_NOTICE pr_fmt(format), ##__VA_ARGS__)
#define pr_info(format, ...) printk(KERN_INFO pr_fmt(format), ##__VA_ARGS__)
#define pr_cont(format, ...) printk(KERN_CONT format, ##__VA_ARGS__)
/* Compiled, as the kernel does without dynamic debugging, but never run. */
#define pr_debug(format, ...) do { if (0) printk(KERN_DEBUG pr_fmt(format), ##__VA_ARGS__); } while (0)
#define pr_devel pr_debug
#define pr_err_ratelimited pr_err
#define pr_warn_ratelimited pr_warn
#define pr_info_ratelimited pr_info
#define pr_err_once pr_err
#define pr_warn_once pr_warn
#define printk_ratelimit() 1

#endif
