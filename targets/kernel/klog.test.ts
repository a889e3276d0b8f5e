// SPDX-License-Identifier: MIT
/** The excerpts come from runs of the patch's third version on Linux 6.1, shortened; those marked as made are not. */
import { describe, expect, it } from 'vitest';
import { blamedReports, deathReport, diedOfMemory, parseKernelLog } from './klog.ts';
import { hangTitle } from './klog-hang.ts';
import { severityOf } from './klog-patterns.ts';

const own = 'dm_overlaybd';
const titles = (log: string, module: string | undefined = own): string[] => parseKernelLog(log, module).map(({ kind, title }) => `${kind}: ${title}`);

const PAGE_FAULT = `[    5.117645] Failed to open zfile file
[    5.702609] BUG: unable to handle page fault for address: fffffffffffffffb
[    5.704950] #PF: supervisor read access in kernel mode
[    5.705130] #PF: error_code(0x0000) - not-present page
[    5.705663] PGD 2a14067 P4D 2a15067 PUD 2a17067 PMD 0 
[    5.707058] Oops: 0000 [#1] PREEMPT SMP NOPTI
[    5.707401] CPU: 0 PID: 1 Comm: init Tainted: G           OE      6.1.0-56-cloud-amd64 #1  Debian 6.1.192-2
[    5.709456] RIP: 0010:memcpy_erms+0x6/0x10
[    5.710382] Code: cc cc cc cc eb 1e 0f 1f 00 48 89 f8 48 89 d1 48 c1 e9 03 83 e2 07 f3 48 a5 89 d1 f3 a4 c3
[    5.710940] RSP: 0018:ffa0000000013b58 EFLAGS: 00000287
[    5.716170] PKRU: 55555554
[    5.716317] Call Trace:
[    5.717112]  <TASK>
[    5.717780]  blkdev_pread+0x11b/0x220 [dm_overlaybd]
[    5.720348]  zfile_open.cold+0x82/0x237 [dm_overlaybd]
[    5.720653]  dm_table_add_target+0x19b/0x3c0 [dm_mod]
[    5.721052]  ? dev_suspend+0x390/0x390 [dm_mod]
[    5.722133]  ctl_ioctl+0x1fc/0x4b0 [dm_mod]
[    5.724281] RIP: 0033:0x43eb7b
[    5.727506]  </TASK>
[    5.727639] Modules linked in: dm_overlaybd(OE) dm_zero(E) dm_bufio(E) dm_mod(E)
[    5.730089] ---[ end trace 0000000000000000 ]---
[    5.730226] RIP: 0010:memcpy_erms+0x6/0x10
[    5.741887] Kernel panic - not syncing: Fatal exception
[    5.743035] Kernel Offset: disabled`;

const NULL_DEREF = `[    5.543532] BUG: kernel NULL pointer dereference, address: 0000000000000010
[    5.549858] Oops: 0000 [#1] PREEMPT SMP NOPTI
[    5.553320] Workqueue: ovbd decompress_fn [dm_overlaybd]
[    5.554987] RIP: 0010:LZ4_decompress_fast+0x1c/0x340
[    5.565391] Call Trace:
[    5.566226]  <TASK>
[    5.566877]  decompress_fn+0x1f5/0x630 [dm_overlaybd]
[    5.567850]  process_one_work+0x1c4/0x380
[    5.570152]  ? rescuer_thread+0x3a0/0x3a0
[    5.570670]  </TASK>
[    5.573381] ---[ end trace 0000000000000000 ]---
[    5.573542] RIP: 0010:LZ4_decompress_fast+0x1c/0x340
[    5.578763] Kernel panic - not syncing: Fatal exception`;

const KERNEL_BUG = `[    6.196405] kernel BUG at block/bio.c:1577!
[    6.198599] invalid opcode: 0000 [#1] PREEMPT SMP NOPTI
[    6.199072] CPU: 0 PID: 1 Comm: init Tainted: G           OE      6.1.0-56-cloud-amd64 #1  Debian 6.1.192-2
[    6.211899] RIP: 0010:bio_split+0xc2/0xe0
[    6.247848] Call Trace:
[    6.248734]  <TASK>
[    6.249257]  lsmt_bioremap+0x412/0x4b0 [dm_overlaybd]
[    6.250784]  ? bio_alloc_bioset+0x1e2/0x490
[    6.250935]  __map_bio+0x47/0x1d0 [dm_mod]
[    6.303825]  </TASK>
[    6.316512] ---[ end trace 0000000000000000 ]---
[    6.316712] RIP: 0010:bio_split+0xc2/0xe0
[    6.355608] Kernel panic - not syncing: Fatal exception`;

const NMI = `[    4.130508] Uhhuh. NMI received for unknown reason 21 on CPU 0.
[    4.134285] Kernel panic - not syncing: NMI: Not continuing
[    4.135308] Call Trace:
[    4.136584]  <NMI>
[    4.137380]  dump_stack_lvl+0x44/0x5c
[    4.138888]  panic+0x118/0x2f4
[    4.139116]  exc_nmi+0x11e/0x150
[    4.139141]  end_repeat_nmi+0x16/0x67
[    4.139443] RIP: 0010:native_safe_halt+0xb/0x10
[    4.141791]  </NMI>
[    4.141815]  <TASK>
[    4.141821]  amd_e400_idle+0x3d/0x50
[    4.141847]  default_idle_call+0x38/0xf0
[    4.142216]  </TASK>`;

describe('crashes', () => {
  it('are named by their kind and the first frame of the code under test', () => {
    expect(titles(PAGE_FAULT)).toEqual(['crash: page-fault in blkdev_pread']);
    expect(titles(NULL_DEREF)).toEqual(['crash: page-fault in decompress_fn']);
    expect(titles(KERNEL_BUG)).toEqual(['crash: kernel-bug in lsmt_bioremap']);
  });

  it('take the first telling frame where none is of the code under test', () => {
    expect(titles(KERNEL_BUG, 'other')).toEqual(['crash: kernel-bug in bio_split']);
    expect(titles(PAGE_FAULT, undefined)).toEqual(['crash: page-fault in blkdev_pread']);
  });

  it('have the same name at other addresses and times, and without time stamps', () => {
    const moved = PAGE_FAULT.replaceAll(/^\[ +\d+/gm, '[  712').replaceAll('fffffffffffffffb', 'ffffc90000213004').replaceAll('+0x11b/', '+0x99/');
    expect(titles(moved)).toEqual(titles(PAGE_FAULT));
    expect(titles(PAGE_FAULT.replaceAll(/^\[.*?\] /gm, '<1>'))).toEqual(titles(PAGE_FAULT));
  });

  it('are not counted twice when they are told twice', () => {
    expect(titles(`${NULL_DEREF}\n${NULL_DEREF}`)).toEqual(['crash: page-fault in decompress_fn']);
  });

  it('of other kinds (made)', () => {
    const trace = ` Call Trace:\n  <TASK>\n  lsmt_target_ctr+0x1/0x2 [dm_overlaybd]\n  </TASK>\n---[ end trace 0 ]---`;
    const where = 'in lsmt_target_ctr';
    expect(titles(`general protection fault, probably for non-canonical address 0x6b6b6b6b6b6b6b6b: 0000 [#1] PREEMPT SMP\n${trace}`)).toEqual([`crash: general-protection-fault ${where}`]);
    expect(titles(`divide error: 0000 [#1] PREEMPT SMP NOPTI\n${trace}`)).toEqual([`crash: divide-error ${where}`]);
    expect(titles(`WARNING: CPU: 0 PID: 1 at mm/page_alloc.c:5527 __alloc_pages+0x2d7/0x330\n${trace}`)).toEqual([`crash: warning ${where}`]);
    expect(titles(`BUG: KASAN: slab-out-of-bounds in memcpy+0x1/0x2\nRead of size 4096 at addr ffff888\n${trace}`)).toEqual([`memory: kasan-slab-out-of-bounds-read ${where}`]);
    expect(titles(`UBSAN: shift-out-of-bounds in drivers/md/dm-lsmt.c:10:3\n${trace}`)).toEqual([`memory: ubsan-shift-out-of-bounds ${where}`]);
    expect(titles(`BUG kmalloc-64 (Tainted: G           OE     ): Right Redzone overwritten\n${trace}`)).toEqual([`memory: slub-right-redzone-overwritten ${where}`]);
    expect(titles(`watchdog: BUG: soft lockup - CPU#0 stuck for 26s! [kworker/u2:0:9]\n${trace}`)).toEqual([`hang: soft-lockup ${where}`]);
    expect(titles(`INFO: task init:1 blocked for more than 120 seconds.\n${trace}`)).toEqual([`hang: hung-task ${where}`]);
    expect(titles(`Kernel panic - not syncing: stack-protector: Kernel stack is corrupted in: lsmt_bioremap+0x4a0/0x4b0 [dm_overlaybd]`)).toEqual(['crash: stack-corruption in lsmt_bioremap']);
    expect(titles('Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b')).toEqual(['crash: agent-killed']);
  });

  it('after a sanitizer spoke are named by the sanitizer (made)', () => {
    const kasan = 'BUG: KASAN: use-after-free in lsmt_close+0x1/0x2 [dm_overlaybd]\n---[ end trace 0 ]---\n';
    expect(deathReport(kasan + PAGE_FAULT, own)).toMatchObject({ kind: 'memory', title: 'kasan-use-after-free in lsmt_close', blamed: true, severity: 0 });
  });
});

describe('of several reports', () => {
  it('the worst one names a death, whatever came first (made)', () => {
    const warn = 'WARNING: CPU: 0 PID: 1 at mm/page_alloc.c:5527 __alloc_pages+0x2d7/0x330\n lsmt_open_files+0x1/0x2 [dm_overlaybd]\n---[ end trace 0 ]---\n';
    expect(titles(warn + PAGE_FAULT)).toEqual(['crash: warning in lsmt_open_files', 'crash: page-fault in blkdev_pread']);
    expect(deathReport(warn + PAGE_FAULT, own)?.title).toBe('page-fault in blkdev_pread');
    expect(blamedReports(warn + PAGE_FAULT, own).map((r) => r.title)).toEqual(['page-fault in blkdev_pread', 'warning in lsmt_open_files']);
  });

  it('severity is a matter of the title', () => {
    const order = ['kasan-use-after-free-write in f', 'page-fault in f', 'ubsan-shift-out-of-bounds in f', 'soft-lockup in f', 'unreferenced-object in f'].map(severityOf);
    expect(order).toEqual([0, 1, 2, 3, 4]);
    expect(severityOf('what nobody knows')).toBe(4);
  });

  it('each has the lines that are its own (made)', () => {
    const log = `nothing\n${NULL_DEREF}\nnothing more`;
    const [report] = parseKernelLog(log, own);
    expect(log.split('\n').slice(...report!.lines).at(0)).toContain('NULL pointer');
    expect(log.split('\n').slice(...report!.lines).at(-1)).toContain('end trace');
  });
});

describe('stacks of another time', () => {
  it('do not say where: KASAN shows where the memory came from, too (made)', () => {
    const log = 'BUG: KASAN: slab-use-after-free in process_one_work+0x1/0x2\nRead of size 8 at addr ffff888 by task kworker/0:1/9\nCall Trace:\n kasan_report+0x1/0x2\n process_one_work+0x1/0x2\n\nAllocated by task 1:\n kmalloc_trace+0x1/0x2\n lsmt_open+0x1/0x2 [dm_overlaybd]\n';
    expect(titles(log)).toEqual(['memory: kasan-use-after-free-read in process_one_work']);
  });

  it('a null pointer has one name with and without KASAN (made)', () => {
    const log = 'general protection fault, probably for non-canonical address 0xdffffc0000000001: 0000 [#1] PREEMPT SMP KASAN\nKASAN: null-ptr-deref in range [0x0000000000000008-0x000000000000000f]\nRIP: 0010:lsmt_target_ctr+0x1/0x2 [dm_overlaybd]\n';
    expect(titles(log)).toEqual(['crash: page-fault in lsmt_target_ctr']);
  });
});

describe('leaks', () => {
  it('are what the kernel itself calls so', () => {
    expect(titles('<6>lsmt: file 255 size 9216\n<4>device-mapper: table: 253:260: lsmt_target: dm_put_device call missing for 253:256\n')).toEqual(['leak: dm-device-not-put']);
    expect(titles('<3>device-mapper: bufio: leaked buffer 3, hold count 1, list 1')).toEqual(['leak: bufio-buffer-leaked']);
    expect(titles('BUG bio-120 (Tainted: G    B): Objects remaining in bio-120 on __kmem_cache_shutdown()')).toEqual(['leak: objects-remaining']);
  });
});

describe('what is nobody’s fault', () => {
  it('is not blamed', () => {
    const log = 'init: vmalloc error: size 251658240, page order 0, failed to allocate pages, mode:0xcc2(GFP_KERNEL)\nCall Trace:\n lsmt_open_files+0x1/0x2 [dm_overlaybd]';
    expect(parseKernelLog(log, own).filter(({ blamed }) => blamed)).toEqual([]);
    expect(deathReport(log, own)).toBeUndefined();
    expect(diedOfMemory('[ 1.0] Kernel panic - not syncing: System is deadlocked on memory')).toBe(true);
  });

  it('is not seen where there is nothing', () => {
    expect(titles('<3>DM_MAPIO_KILL /build/dm-lsmt.c:30 op=0 sts=0\n<2>Failed to open zfile file\n<6>kworker/u2:0: attempt to access beyond end of device\\x0adm-0: rw=0, sector=4194312, nr_sectors = 8 limit=40')).toEqual([]);
    expect(titles('')).toEqual([]);
  });
});

describe('hangs', () => {
  const idle = 'task:kthreadd        state:S stack:0     pid:2     ppid:0      flags:0x00004000\nCall Trace:\n <TASK>\n __schedule+0x34d/0x9e0\n kthreadd+0x2d4/0x310\n </TASK>';
  const stuck = '<6>agent stack\n<6>Call Trace:\n<6> submit_bio_wait+0x7b/0xc0\n<6> __blkdev_direct_IO_simple+0x12c/0x270\n';

  it('are named by what a workqueue does', () => {
    const log = `${stuck}${idle}\n<6>workqueue ovbd: flags=0xe\n<6>  pwq 2: cpus=0 flags=0x4 nice=0 active=1/256 refcnt=3\n<6>    in-flight: 9:decompress_fn [dm_overlaybd]\n`;
    expect(hangTitle(log, own)).toBe('hang in decompress_fn');
  });

  it('are named by where the agent is', () => {
    expect(hangTitle(`${stuck}${idle}`, own)).toBe('hang in submit_bio_wait');
    expect(hangTitle('<6>agent stack\n<6>Call Trace:\n<6> dm_bufio_read+0x1/0x2 [dm_bufio]\n<6> blkdev_pread+0x1/0x2 [dm_overlaybd]\n', own)).toBe('hang in blkdev_pread');
  });

  it('are named by what an NMI interrupted, unless that was idling', () => {
    expect(hangTitle(NMI, own)).toBe('hang');
    expect(hangTitle(NMI.replace('amd_e400_idle+0x3d/0x50', 'merge_indexes+0x3d/0x50 [dm_overlaybd]'), own)).toBe('hang in merge_indexes');
  });
});

it('stays quick on a log that is all alike', () => {
  const began = performance.now();
  parseKernelLog('WARNING: CPU: 0 PID: 1 at a.c:1 f+0x1/0x2\n'.repeat(8000), own);
  parseKernelLog('BUG '.repeat(60_000), own);
  expect(performance.now() - began).toBeLessThan(3000);
});
