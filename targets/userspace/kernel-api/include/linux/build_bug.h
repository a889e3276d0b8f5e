/* SPDX-License-Identifier: MIT */
#ifndef _LINUX_BUILD_BUG_H
#define _LINUX_BUILD_BUG_H

#undef static_assert
#define static_assert(condition, ...) _Static_assert(condition, "" __VA_ARGS__)
#define BUILD_BUG_ON(condition) _Static_assert(!(condition), "BUILD_BUG_ON " #condition)
#define BUILD_BUG_ON_MSG(condition, text) _Static_assert(!(condition), text)

#endif
