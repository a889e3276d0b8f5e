/* SPDX-License-Identifier: MIT */
#ifndef _LINUX_MODULE_H
#define _LINUX_MODULE_H

#include <linux/kernel.h>
#include <linux/uuid.h>

struct module;
#define THIS_MODULE ((struct module *)0)

int layer_module_init(void);
void layer_module_exit(void);

#define module_init(function) int layer_module_init(void) { return function(); }
#define module_exit(function) void layer_module_exit(void) { function(); }
#define subsys_initcall module_init
#define late_initcall module_init
/* A declaration, so that a semicolon may follow. */
#define MODULE_INFO_TEXT struct module
#define MODULE_AUTHOR(text) MODULE_INFO_TEXT
#define MODULE_DESCRIPTION(text) MODULE_INFO_TEXT
#define MODULE_LICENSE(text) MODULE_INFO_TEXT
#define MODULE_VERSION(text) MODULE_INFO_TEXT
#define MODULE_ALIAS(text) MODULE_INFO_TEXT
#define MODULE_SOFTDEP(text) MODULE_INFO_TEXT
#define MODULE_IMPORT_NS(text) MODULE_INFO_TEXT
#define MODULE_PARM_DESC(name, text) MODULE_INFO_TEXT
#define module_param(name, type, mode) MODULE_INFO_TEXT
#define module_param_named(name, variable, type, mode) MODULE_INFO_TEXT
#define EXPORT_SYMBOL(name) MODULE_INFO_TEXT
#define EXPORT_SYMBOL_GPL(name) MODULE_INFO_TEXT

#endif
