// SPDX-License-Identifier: MIT
/** finding.json: what a finding is, without the images' bytes, which lie beside it. */
import {
  FILE_SYSTEMS, FINDING_KINDS, TREE_KINDS, MAX_PIECES, MEANWHILES, MOST_READERS, MOST_ROUNDS, READ_MODES, readProblem, type AccessPlan, type BackingFault, type Case, type Expectation, type Extent, type Finding, type Layer, type Observation, type Outcome, type Procedure, type ReadOutcome, type ReadPlan, type TableFault,
  type TargetIdentity, type Wrapper,
} from '../model/index.ts';
import { createHash } from 'node:crypto';
import { boolean, deviceSize, either, flag, integer, list, map, Mismatch, oneOf, optional, record, text, type Check } from './check.ts';
import { tableText } from './table-text.ts';

export const FINDING_SCHEMA = 'ovbd-finding/1';

/** Bounds of what `loadFinding` takes from a stranger. */
export const LIMITS = {
  /** Bytes of finding.json. */
  manifest: 64 * 2 ** 20,
  /** Bytes of one image, and of one read. */
  file: 2 ** 30,
  /** Bytes of a shell script. */
  script: 8 * 2 ** 20,
  layers: 1024,
  reads: 65_536,
  before: 10_000,
  /** Entries of a tree. */
  entries: 20_000,
} as const;

/** One file of the folder; its name is relative to its case's folder. */
export interface StoredFile {
  readonly file: string;
  /** Bytes. */
  readonly size: number;
  readonly sha256: string;
}

export interface StoredLayer extends StoredFile {
  readonly wrapping: readonly Wrapper[];
  readonly exposedBytes?: number;
  readonly index?: StoredFile;
  readonly extents?: readonly Extent[];
  readonly remote?: StoredFile;
}

export interface StoredCase {
  readonly id: string;
  readonly device: Case['device'];
  readonly layers: readonly StoredLayer[];
  readonly access: AccessPlan;
  readonly clauses: Case['clauses'];
  /** For people: the device-mapper tables that the kernel patch takes. */
  readonly table: readonly string[];
}

/** A read as expected, with a digest in place of the bytes. */
export type ReadSummary =
  | {
    readonly outcome: 'bytes'; readonly length: number; readonly sha256: string; readonly clauses: readonly string[];
    /** As in the expectation: the page that holds it may not be readable as a whole. */
    readonly mayFail?: true;
  }
  | {
    readonly outcome: 'error'; readonly clause: string; readonly layer: number; readonly at: number;
    readonly why: string; readonly goodBytes: number;
  }
  | { readonly outcome: 'any'; readonly clause: string };

export type OutcomeSummary =
  | Extract<Outcome, { outcome: 'refuse' }>
  | { readonly outcome: 'open'; readonly size: number; readonly reads: readonly ReadSummary[] };

export interface ExpectationSummary extends Pick<Expectation, 'class' | 'needs' | 'notable'> {
  readonly strict: OutcomeSummary;
  readonly alternatives: readonly { readonly flags: readonly string[]; readonly outcome: OutcomeSummary }[];
}

/** An observation without bytes and without its log, which is in kernel.log. */
export type ObservationSummary = Omit<Observation, 'reads' | 'log'> & {
  readonly reads: readonly Omit<Observation['reads'][number], 'bytes'>[];
};

export interface FindingManifest {
  readonly schema: typeof FINDING_SCHEMA;
  readonly signature: string;
  readonly kind: Finding['kind'];
  readonly clause?: string;
  readonly why: string;
  readonly target: TargetIdentity;
  readonly count: number;
  readonly firstCase: string;
  readonly confirmation: Finding['confirmation'];
  /** Present where only the patch's code in userspace shows it. */
  readonly label?: string;
  readonly shrinkExecutions: number;
  readonly case: StoredCase;
  /** Oldest first; case N lies in before/NN. */
  readonly before: readonly StoredCase[];
  /** What is done with the case's device, where it is more than reading it. */
  readonly procedure?: Procedure;
  readonly expectation: ExpectationSummary;
  readonly observation: ObservationSummary;
  /** Frames of the target's own code, innermost first; the part of the log they are in is report.txt. */
  readonly where?: readonly string[];
  /** The one command that shows it again. */
  readonly replay: string;
}

export function manifestOf(finding: Finding, identity: TargetIdentity, replay: string): FindingManifest {
  return {
    schema: FINDING_SCHEMA,
    signature: finding.signature,
    kind: finding.kind,
    ...(finding.clause !== undefined && { clause: finding.clause }),
    why: finding.verdict.why,
    target: identity,
    count: finding.count,
    firstCase: finding.firstCase,
    confirmation: finding.confirmation,
    ...(finding.label !== undefined && { label: finding.label }),
    shrinkExecutions: finding.shrinkExecutions,
    case: storedCase(finding.smallest),
    before: finding.before.map(storedCase),
    ...(finding.procedure !== undefined && { procedure: finding.procedure }),
    expectation: expectationSummary(finding.expectation),
    observation: observationSummary(finding.observation),
    ...(finding.explanation && { where: finding.explanation.where }),
    replay,
  };
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export function storedCase(c: Case): StoredCase {
  return {
    id: c.id, device: c.device, layers: c.layers.map(storedLayer), access: c.access, clauses: c.clauses, table: tableText(c),
  };
}

function storedLayer(layer: Layer, n: number): StoredLayer {
  return {
    ...storedFile(`layer${n}.img`, layer.bytes),
    wrapping: layer.wrapping,
    ...(layer.exposedBytes !== undefined && { exposedBytes: layer.exposedBytes }),
    ...(layer.index && { index: storedFile(`layer${n}.index`, layer.index) }),
    ...(layer.extents && { extents: layer.extents }),
    ...(layer.remote && { remote: storedFile(`layer${n}.remote`, layer.remote) }),
  };
}

function storedFile(file: string, bytes: Uint8Array): StoredFile {
  return { file, size: bytes.length, sha256: sha256(bytes) };
}

export function expectationSummary({ class: of, needs, notable, strict, alternatives }: Expectation): ExpectationSummary {
  return {
    class: of, needs, notable, strict: outcomeSummary(strict),
    alternatives: alternatives.map((a) => ({ flags: a.flags, outcome: outcomeSummary(a.outcome) })),
  };
}

function outcomeSummary(outcome: Outcome): OutcomeSummary {
  if (outcome.outcome === 'refuse') return outcome;
  return {
    outcome: 'open',
    size: outcome.size,
    reads: outcome.reads.map(readSummary),
  };
}

function readSummary(read: ReadOutcome): ReadSummary {
  switch (read.outcome) {
    case 'any': return read;
    case 'error': return { ...read, goodBytes: read.goodBytes.length };
    case 'bytes': return {
      outcome: 'bytes', length: read.bytes.length, sha256: sha256(read.bytes), clauses: [...new Set(read.ranges.map((r) => r.clause))],
      ...(read.mayFail && { mayFail: true }),
    };
  }
}

export function observationSummary(observation: Observation): ObservationSummary {
  const { log: _, reads, ...rest } = observation;
  // A target that hands over the bytes may leave the digest to us.
  return { ...rest, reads: reads.map(({ bytes, ...read }) => (bytes && !read.sha256 ? { ...read, sha256: sha256(bytes) } : read)) };
}

const anyInteger = integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
const natural = integer(0, Number.MAX_SAFE_INTEGER);
const line = text(65_536);
const words = list(text(256), 4096);
const digest = text(64, /^[0-9a-f]{64}$/);
const layerNumber = integer(0, LIMITS.layers);

const fileFields = { size: integer(0, LIMITS.file), sha256: digest };
const storedLayerCheck: Check<StoredLayer> = record({
  file: text(16, /^layer\d{1,4}\.img$/),
  ...fileFields,
  wrapping: list(oneOf('zfile', 'tar'), 8),
  exposedBytes: optional(natural),
  index: optional(record({ file: text(16, /^layer\d{1,4}\.index$/), ...fileFields })),
  extents: optional(list(record({ from: integer(0, LIMITS.file), to: integer(0, LIMITS.file) }), LIMITS.reads)),
  remote: optional(record({ file: text(16, /^layer\d{1,4}\.remote$/), ...fileFields })),
});

/** Bytes that an image may have made up, a position or a size: any that 64 bits and a step can say, as a double says it. */
const position: Check<number> = (value, at) => {
  if (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 2 ** 65) return value as number;
  throw new Mismatch(at, 'a whole number of bytes, at most 2^65', value);
};

const anyLayer = integer(0, LIMITS.layers - 1);
const tableCheck: Check<TableFault> = either('kind', {
  bytes: record({ kind: oneOf('bytes'), layer: anyLayer, delta: anyInteger }),
  text: record({ kind: oneOf('text'), layer: anyLayer, text: line }),
  count: record({ kind: oneOf('count'), delta: anyInteger }),
  device: record({ kind: oneOf('device'), layer: anyLayer }),
  busy: record({ kind: oneOf('busy'), layer: anyLayer }),
  short: record({ kind: oneOf('short'), layer: anyLayer, sectors: integer(1, 2 ** 22) }),
  length: record({ kind: oneOf('length'), sectors: anyInteger }),
});

const faultCheck: Check<BackingFault> = record({
  layer: anyLayer,
  from: integer(0, LIMITS.file, 512),
  to: integer(0, LIMITS.file, 512),
  kind: oneOf('error', 'flakey', 'dust', 'delay'),
  since: integer(-1, LIMITS.reads),
  until: optional(integer(0, LIMITS.reads)),
});

const attemptsCheck: Check<NonNullable<AccessPlan['attempts']>> = record({
  writable: boolean(),
  list: list(record({
    kind: oneOf('write', 'discard', 'secure-discard', 'zero-out', 'flush', 'ioctls'),
    offset: deviceSize(512),
    length: integer(0, 65_536, 512),
  }), 16),
});

const readCheckFields: Check<ReadPlan> = record({
  offset: deviceSize(),
  length: integer(1, LIMITS.file),
  bufferOffset: integer(0, 4095),
  mode: oneOf(...READ_MODES),
  pieces: optional(list(integer(1, LIMITS.file), MAX_PIECES, 1)),
  huge: optional(flag),
});

const readCheck: Check<ReadPlan> = (value, at) => {
  const plan = readCheckFields(value, at);
  const problem = readProblem(plan);
  if (problem === null) return plan;
  throw new Mismatch(at, 'a read that can be asked for', problem);
};

export const storedCaseCheck: Check<StoredCase> = record({
  id: text(256),
  device: oneOf('zfile', 'lsmt'),
  layers: list(storedLayerCheck, LIMITS.layers, 1),
  access: record({
    slack: oneOf('exact', 'page', 'garbage'),
    deviceBytes: deviceSize(),
    reads: list(readCheck, LIMITS.reads),
    table: optional(tableCheck),
    fault: optional(faultCheck),
    attempts: optional(attemptsCheck),
    shared: optional(oneOf('device', 'twin')),
    crowd: optional(record({ readers: integer(1, MOST_READERS), rounds: integer(1, MOST_ROUNDS), meanwhile: optional(oneOf(...MEANWHILES)) })),
    replaces: optional(anyLayer),
    failsAfter: optional(integer(0, Number.MAX_SAFE_INTEGER)),
  }),
  clauses: record({ exercises: words, violates: words }),
  table: list(line, 2 * LIMITS.layers),
});

const procedureCheck: Check<Procedure> = either('kind', {
  cycle: record({ kind: oneOf('cycle'), iterations: integer(1, 1e6), every: integer(1, 1e6) }),
  mount: record({
    kind: oneOf('mount'),
    fileSystem: oneOf(...FILE_SYSTEMS),
    tree: list(record({ path: text(4096), kind: oneOf(...TREE_KINDS), content: text(4096), blocks: text(65_536, /^[0-9a-f]*$/) }), LIMITS.entries),
  }),
});

const outcomeCheck: Check<OutcomeSummary> = either('outcome', {
  refuse: record({ outcome: oneOf('refuse'), clause: line, layer: layerNumber, at: position, why: line }),
  open: record({
    outcome: oneOf('open'),
    size: position,
    reads: list(either('outcome', {
      any: record({ outcome: oneOf('any'), clause: line }),
      bytes: record({ outcome: oneOf('bytes'), length: natural, sha256: digest, clauses: words, mayFail: optional(flag) }),
      error: record({ outcome: oneOf('error'), clause: line, layer: layerNumber, at: position, why: line, goodBytes: natural }),
    }), LIMITS.reads),
  }),
});

export const expectationCheck: Check<ExpectationSummary> = record({
  class: oneOf('valid', 'invalid', 'permissive'),
  needs: record({ algorithms: list(oneOf('lz4', 'zstd'), 2), blockSizes: list(natural, LIMITS.layers), layers: natural }),
  notable: words,
  strict: outcomeCheck,
  alternatives: list(record({ flags: words, outcome: outcomeCheck }), 256),
});

/** Checks all of a parsed finding.json; throws `Mismatch`. */
export const manifestCheck: Check<FindingManifest> = record({
  schema: oneOf(FINDING_SCHEMA),
  signature: line,
  kind: oneOf(...FINDING_KINDS),
  clause: optional(line),
  why: line,
  target: record({ name: text(160, /^[a-z0-9][a-z0-9:._+/-]*$/), description: line, parts: map(256, line), remake: map(256, line) }),
  count: natural,
  firstCase: line,
  label: optional(line),
  confirmation: record({ shown: natural, tried: natural, blame: oneOf('alone', 'sequence', 'unreliable'), processors: optional(integer(1, 256)) }),
  shrinkExecutions: natural,
  case: storedCaseCheck,
  before: list(storedCaseCheck, LIMITS.before),
  procedure: optional(procedureCheck),
  expectation: expectationCheck,
  observation: record({
    open: oneOf('opened', 'refused', 'none'),
    refusal: optional(line),
    size: optional(deviceSize()),
    reads: list(record({
      result: anyInteger,
      sha256: text(64, /^(?:[0-9a-f]{64})?$/),
      spill: optional(record({ before: natural, after: natural, first: anyInteger })),
      reader: optional(natural),
    }), LIMITS.reads),
    meanwhile: optional(record({ times: natural, failed: optional(line) })),
    death: optional(record({ kind: oneOf('crash', 'hang', 'lost'), title: line, phase: line })),
    changed: optional(record({ layer: layerNumber, at: natural })),
    complaints: list(record({ kind: oneOf('crash', 'memory', 'leak'), title: line }), 4096),
    history: natural,
    engineError: optional(line),
  }),
  where: optional(words),
  replay: line,
});
