// SPDX-License-Identifier: MIT
/**
 * A stored run as every reporter takes it: what run.jsonl and the finding folders hold, read leniently, joined, and
 * with all that is missing or damaged said in `problems`. Plain data: it can be written as JSON.
 */
import type {
  CaseEvent, ClauseTally, FindingEvent, FooterEvent, ImageView, Layer, MatrixEvent, ReadPlan, Reached, RunEvent, VerdictKind,
} from '../../model/index.ts';
import type { Clause } from '../../spec/index.ts';
import type { FindingManifest } from '../finding-manifest.ts';

/** A run folder as data. */
export interface View {
  /** The run's folder as it was given. */
  readonly folder: string;
  readonly run: RunEvent;
  /** Null where the run was killed, still goes on, or lost its end: then nothing here is a whole report. */
  readonly footer: FooterEvent | null;
  /** What is damaged, missing or left out, a line each, for people; empty where all is there. */
  readonly problems: readonly string[];
  readonly cases: readonly CaseEvent[];
  /** Worst first: unreliable ones last, by kind, then by how many cases show it. */
  readonly findings: readonly FindingView[];
  readonly matrices: readonly MatrixEvent[];
  /** All clauses of the specification, in its order. */
  readonly clauses: readonly ClauseView[];
  /** Whether it is known which clauses the cases touch; otherwise a clause without a finding says nothing. */
  readonly touched: boolean;
  readonly coverage: readonly CoverageView[];
  readonly trend: readonly TrendView[];
  /** Bytes of images, scripts and commands that show a finding again are left out, as are logs. */
  readonly embargo: boolean;
}

/** One finding of one target. */
export interface FindingView {
  readonly event: FindingEvent;
  /** What its folder holds; null where it has none that can be read. */
  readonly evidence: EvidenceView | null;
}

/** What the folder of a finding holds. */
export interface EvidenceView {
  readonly manifest: Omit<FindingManifest, 'schema'>;
  /** The smallest case's files, bottom layer first; empty under embargo. */
  readonly images: readonly HexView[];
  /** Reads that came back other than they should, with the bytes around the first difference. */
  readonly reads: readonly ReadDiffView[];
  /** The part of the target's log about it, with source lines beside the frames where those are known; cut at `LOG`. */
  readonly log: string;
  /** Its shell script; absent where there is none, or it is larger than `SCRIPT`, or under embargo. */
  readonly repro?: string;
}

/** A named run of bytes of an image. */
export interface HexField {
  readonly structure: string;
  readonly name: string;
  /** Bytes from the start of the bytes shown. */
  readonly at: number;
  readonly size: number;
  /** As people write it, and what that means. */
  readonly shown: string;
  readonly text: string;
  /** Ids of the clauses about it. */
  readonly clauses: readonly string[];
}

/** Bytes that are wrong, or unusual. */
export interface HexFault {
  readonly at: number;
  readonly size: number;
  readonly clause: string;
  readonly note: string;
  /** Whether the expectation names the place; otherwise it is something that inspecting points out. */
  readonly named: boolean;
}

/** One file of a layer, or what the ZFile in it decodes to. */
export interface HexView {
  /** `layer0.img`. */
  readonly file: string;
  readonly layer: number;
  readonly space: 'file' | 'decoded';
  /** What it is, in one line. */
  readonly title: string;
  /** Bytes. */
  readonly size: number;
  /** The bytes that are shown, ascending, multiples of 16 from the start; what lies between is said, not shown. */
  readonly pieces: readonly HexPiece[];
  readonly fields: readonly HexField[];
  readonly faults: readonly HexFault[];
}

/** Bytes in base64, or how many of one value or unshown. */
export type HexPiece =
  | { readonly at: number; readonly base64: string }
  | { readonly at: number; readonly skipped: number; /** The value of all of them; absent: various. */ readonly fill?: number; /** They go on as the row before them. */ readonly repeated?: true };

/** A read with a difference. */
export interface ReadDiffView {
  readonly read: number;
  readonly plan: ReadPlan;
  /** Bytes that should have come and that came. */
  readonly expectedSize: number;
  readonly observedSize: number;
  /** Bytes from the start of the read. */
  readonly firstDifference: number;
  /** How many differ, of those that both have. */
  readonly different: number;
  /** Where the pieces below start, bytes from the start of the read. */
  readonly from: number;
  readonly expected: string;
  readonly observed: string;
}

/** A clause and what every target makes of it. */
export interface ClauseView {
  readonly clause: Clause;
  /** Cases that touch it in sound images, and that break it; 0 where that is not known. */
  readonly exercised: number;
  readonly violated: number;
  /** target → what it makes of it; a target of which nothing is known is absent. */
  readonly cells: Readonly<Record<string, ClauseCell>>;
}

/** What one target makes of a clause. */
export interface ClauseCell {
  /** The worst kind of verdict by this clause; `pass`: cases about it, and none of them has one. */
  readonly kind: VerdictKind;
  /** Cases with that verdict. */
  readonly cases: number;
  /** The first of them. */
  readonly shownBy: string;
  /** The signature, where the verdict has one. */
  readonly signature?: string;
  /** Set where it took another side of a contested clause, and declares none. */
  readonly undeclared?: true;
}

/** What one target reached of its sources. */
export interface CoverageView {
  readonly target: string;
  readonly total: Reached;
  readonly files: readonly { readonly file: string; readonly reached: Reached; /** Functions never called. */ readonly uncalled: readonly string[] }[];
}

/** This run beside an earlier one. */
export interface TrendView {
  /** As it was given. */
  readonly run: string;
  readonly cases: number;
  /** Confirmed findings of all targets. */
  readonly findings: number;
  /** Whether both ran the same cases: otherwise new and fixed are not certain. */
  readonly sameCases: boolean;
  readonly why: readonly string[];
  readonly columns: readonly {
    readonly earlier: string;
    readonly target: string;
    readonly newOnes: readonly string[];
    readonly fixed: readonly string[];
    readonly still: number;
  }[];
}

/** One file of an image as it was examined, and what is inside its ZFile where it has one that opens. */
export interface Examined {
  readonly view: ImageView;
  /** At most `DECODED` bytes. */
  readonly decoded?: Uint8Array;
}

/** What only other parts of the suite can do; the caller hands them over. */
export interface ViewHelp {
  /** Names the fields of a layer's files. */
  readonly examine?: (layer: Layer) => Examined;
  /** How the run's cases stand to the clauses, where its footer does not say; a string says why that cannot be told for certain. */
  readonly tallyOf?: (run: RunEvent, footer: FooterEvent | null, cases: readonly CaseEvent[]) => Promise<ClauseTally | string>;
}

/** How a view is made. */
export interface ViewOptions extends ViewHelp {
  /** Earlier runs to compare with, oldest first. */
  readonly against?: readonly string[];
  readonly embargo?: boolean;
}
