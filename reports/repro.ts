// SPDX-License-Identifier: MIT
/**
 * A finding of the kernel target as one shell script, made to be mailed to the
 * patch's author: it needs nothing of ours, and holds the images.
 */
import { formOf, tableParams, type AccessPlan, type Case, type Finding, type Outcome, type TableFault, type TargetIdentity } from '../model/index.ts';
import { CLAUSES } from '../spec/index.ts';
import { sha256 } from './finding-manifest.ts';
import { backingFile, fileCommands, textBytes, type BackingFile } from './repro-pieces.ts';
import { EPILOGUE, prologue, quoted } from './repro-shell.ts';
import { oneLine, wrap } from './text.ts';

/** Characters of images in a script; larger ones stay beside it. A mail of more is held back by most lists. */
const MAX_TEXT = 1 << 20;
/** Cases before the one that shows it, at most. */
const MAX_BEFORE = 100;
/** Seconds without an answer that make a hang. */
const HANG_SECONDS = 60;
/** What the access plan of a script can hold; all else is named in its header. */
const KNOWN: readonly string[] = ['slack', 'deviceBytes', 'reads', 'table'] satisfies readonly (keyof AccessPlan)[];

/**
 * The script; undefined for a case that has no tables of the patch (of forms and
 * wrappings that the patch does not have), that needs failing or busy devices or
 * attempts to write, or with more cases before it than a script should hold.
 */
export function reproScript(finding: Finding, identity: TargetIdentity): string | undefined {
  const cases = [...finding.before, finding.smallest];
  if (cases.length > MAX_BEFORE + 1 || !cases.every(hasTables)) return undefined;
  const files = cases.map((c, k) => backingFiles(c, k === cases.length - 1 ? '' : `before${k}-`));
  const inside = files.flat().reduce((sum, file) => sum + textBytes(file), 0) <= MAX_TEXT;
  const hang = finding.kind === 'hang';
  const blocks = cases.map((c, k) => caseCommands(c, files[k]!, k === cases.length - 1 ? finding.expectation.strict : undefined, inside, folderOf(k, cases.length)));
  return [
    '#!/bin/sh',
    ...header(finding, identity, inside).map((line) => (line === '' ? '#' : `# ${line}`)),
    '',
    prologue(finding.smallest.device === 'zfile' ? 'zfile_target' : 'lsmt_target', HANG_SECONDS),
    ...(hang ? ['RUN=bounded'] : []),
    `say ${quoted(`if the kernel dies from here on, that is the finding: ${oneLine(finding.signature)}`)}`,
    ...blocks.flat(),
    EPILOGUE,
  ].join('\n');
}

function hasTables(c: Case): boolean {
  const { fault, attempts, table, failsAfter } = c.access;
  // Without these the images do something else: no script is better than one that is wrong.
  if (fault || attempts || failsAfter !== undefined || table?.kind === 'busy') return false;
  if (c.device === 'zfile') return c.layers.length === 1 && formOf(c.layers[0]!) === null;
  return c.layers.every((layer) => formOf(layer) === null && (layer.wrapping.length === 0 || (layer.wrapping.length === 1 && layer.wrapping[0] === 'zfile')));
}

function folderOf(k: number, count: number): string {
  return k === count - 1 ? '' : `before/${String(k).padStart(2, '0')}/`;
}

/** Bytes that follow an image whose device goes on: any will do that are not zero. */
const GARBAGE = Buffer.from('what follows the image is not part of it; '.repeat(400)).subarray(0, 16_384);

function backingFiles(c: Case, prefix: string): BackingFile[] {
  const { slack } = c.access;
  return c.layers.map(({ bytes }, n) => {
    const name = `${prefix}layer${n}.img`;
    const missing = sectorsMissing(c, n);
    // A layer in a ZFile is short on the device over it.
    if (missing > 0 && !inZFile(c, n)) return backingFile(name, bytes.subarray(0, Math.max(1, Math.ceil(bytes.length / 512) - missing) * 512), true);
    return backingFile(name, bytes, slack === 'exact', slack === 'garbage' ? GARBAGE : undefined);
  });
}

/** True for a layer of a stack that is a device over a ZFile. */
function inZFile(c: Case, n: number): boolean {
  return c.device === 'lsmt' && c.layers[n]!.wrapping.length > 0;
}

/** Sectors by which the device of a layer is too short. */
function sectorsMissing({ access: { table } }: Case, n: number): number {
  return table?.kind === 'short' && table.layer === n ? table.sectors : 0;
}

function caseCommands(c: Case, files: readonly BackingFile[], expected: Outcome | undefined, inside: boolean, folder: string): string[] {
  const lines = [''];
  files.forEach((file, n) => {
    if (inside) lines.push(...fileCommands(file));
    else lines.push(`new ${file.name} ${file.size}`, `dd if="$HERE/${folder}layer${n}.img" of="$DIR/${file.name}" bs=65536 conv=notrunc 2>/dev/null || fail "the images must lie beside the script"`);
    lines.push(`L${n}=$(loop ${file.name}) || exit 2`, `LOOPS="$L${n} $LOOPS"`);
  });
  const inner: string[] = [];
  const words = c.layers.map((layer, n) => {
    // A ZFile device has its own table; a ZFile in a ZFile is a device over a device.
    if (layer.wrapping.length <= (c.device === 'zfile' ? 1 : 0)) return { device: `'"$L${n}"'`, bytes: layer.bytes.length };
    const bytes = layer.exposedBytes ?? 0;
    const missing = inZFile(c, n) ? sectorsMissing(c, n) : 0;
    const length = missing > 0 ? BigInt(Math.ceil(bytes / 512) - missing) : sectors(bytes);
    inner.push(`make zfile${n} '0 ${length} zfile_target '"$L${n}"' ${layer.bytes.length}'`);
    return { device: `'"/dev/mapper/$N-zfile${n}"'`, bytes };
  });
  const type = c.device === 'zfile' ? 'zfile_target' : 'lsmt_target';
  const makes = [...inner, `make top '0 ${sectors(c.access.deviceBytes)} ${type} ${tableParams(words, quotedFault(c.access.table))}'`];
  return [...lines, `if ${makes.join(' && ')}; then`, ...opened(c, expected).map((line) => `\t${line}`), 'else', ...refused(expected).map((line) => `\t${line}`), 'fi', 'remove'];
}

function quotedFault(fault: TableFault | undefined): TableFault | undefined {
  return fault?.kind === 'text' ? { ...fault, text: fault.text.replaceAll("'", `'\\''`) } : fault;
}

/** Past 2⁵³ bytes numbers are exact, but their decimal text is not. */
function sectors(bytes: number): bigint {
  return BigInt(Math.floor(bytes / 512));
}

function opened(c: Case, expected: Outcome | undefined): string[] {
  const lines = ['say "opened, $(blockdev --getsize64 /dev/mapper/$N-top) bytes"'];
  if (expected?.outcome === 'refuse') lines.push(`shown ${quoted(`it must be refused (${expected.clause})`)}`);
  c.access.reads.forEach((read, n) => {
    const flags = read.mode === 'direct' ? 'direct,skip_bytes' : 'skip_bytes';
    const plan = `${n} ${BigInt(read.offset)} ${read.length} ${flags}`;
    const want = expected?.outcome === 'open' ? expected.reads[n] : undefined;
    if (want?.outcome === 'bytes') lines.push(`read_is ${plan} ${sha256(want.bytes)} ${want.bytes.length}`);
    else lines.push(`${want?.outcome === 'error' ? 'read_fails' : 'read_any'} ${plan}`);
  });
  return lines;
}

function refused(expected: Outcome | undefined): string[] {
  const lines = ['say "refused: $(tail -n 1 "$DIR/error")"'];
  if (expected?.outcome === 'open') lines.push('shown "it must be opened"');
  return lines;
}

function header(finding: Finding, identity: TargetIdentity, inside: boolean): string[] {
  const clause = CLAUSES.find((c) => c.id === finding.clause);
  const { strict } = finding.expectation;
  const { observation: o, smallest } = finding;
  const expected = strict.outcome === 'refuse' ? `refused, ${strict.clause}: ${strict.why} (byte ${strict.at} of layer ${strict.layer})` : 'opened, and reads as below';
  const observed = [
    o.open === 'opened' ? 'opened' : o.open === 'refused' ? `refused: ${o.refusal ?? 'no reason given'}` : 'neither opened nor refused',
    ...(o.death ? [`${o.death.kind} during ${o.death.phase}: ${o.death.title}`] : []), ...o.complaints.map((c) => `${c.kind}: ${c.title}`),
  ].join('; ');
  const paragraphs = [
    finding.signature,
    `Found on ${identity.description}: ${finding.verdict.why}`,
    `Expected: ${expected}.`,
    `Observed: ${observed}.`,
    ...(clause ? [`${clause.id} (${clause.level}): ${clause.text}`] : []),
    ...(finding.explanation && finding.explanation.where.length > 0 ? [`Where: ${finding.explanation.where.slice(0, 8).join(', ')}`] : []),
    `Shown ${finding.confirmation.shown} of ${finding.confirmation.tried} times${finding.before.length > 0 ? `, after ${finding.before.length} other images that are here too` : ''}.`,
    ...limits(finding.smallest.access, finding.kind).map((text) => `Not done here: ${text}.`),
    ...(inside ? [] : ['The images are too large for a mail: they are the layer*.img beside this script, in the same folders.']),
    `Usage, as root on a machine that may crash: sh repro.sh [dm-overlaybd.ko]. Needs dmsetup, losetup, blockdev, dd, base64, gzip, sha256sum. Exit code: 1 shown, 0 not shown, 2 cannot be tried.`,
    `Device of ${BigInt(smallest.access.deviceBytes)} bytes over ${smallest.layers.length === 1 ? '1 image' : `${smallest.layers.length} images`}.`,
  ];
  return paragraphs.flatMap((text) => [...wrap(oneLine(text), 76), '']).slice(0, -1);
}

/** What a shell cannot do as the finding's access plan has it. */
function limits(access: AccessPlan, kind: Finding['kind']): string[] {
  return [
    ...(access.reads.some((r) => r.bufferOffset !== 0) ? ['dd has its buffer at the start of a page, the finding had it elsewhere'] : []),
    ...(access.reads.some((r) => r.mode === 'mmap') ? ['what the finding reads by a mapping dd reads through the page cache'] : []),
    ...(access.reads.some((r) => r.pieces || r.huge) ? ['dd has one buffer of plain pages where the finding had several or huge ones'] : []),
    ...Object.keys(access).filter((key) => !KNOWN.includes(key)).map((key) => `the finding's access plan has "${key}" (see finding.json)`),
    ...(kind === 'memory' ? ['dd does not see bytes that change outside of its buffer: watch the kernel log under KASAN'] : []),
  ];
}
