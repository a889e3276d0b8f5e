// SPDX-License-Identifier: MIT
/** `ovbd inspect`: what an image holds, field by field. */
import { EXIT, VIEW_SCHEMA, type ImageView } from '../../model/index.ts';
import { inspectImage } from '../../oracles/inspect/inspect.ts';
import type { InspectOptions } from '../../oracles/inspect/rows.ts';
import { inspectLines, jsonPieces, oneLine } from '../../reports/index.ts';
import { openSource, splitPair, UnreadableFile, type FileSource } from '../image-files.ts';
import { print, printLines } from '../print.ts';

/** As commander hands them over. */
export interface InspectCommandOptions {
  readonly limit: number;
  readonly all?: boolean;
  readonly blocks?: boolean;
  readonly entries?: boolean;
  readonly json?: boolean;
}

/** Prints every image. Exit code 1 where one has nothing of OverlayBD in it or cannot be read. */
export async function inspect(images: readonly string[], options: InspectCommandOptions, signal: AbortSignal): Promise<number> {
  const names = images.map(splitPair);
  const both = options.blocks === options.entries;
  const asked: InspectOptions = {
    limit: options.all ? null : options.limit, blocks: both || options.blocks === true, entries: both || options.entries === true,
  };
  const opened: FileSource[] = [];
  const named = (path: string): { path: string; source: FileSource } => {
    opened.push(openSource(path));
    return { path, source: opened.at(-1)! };
  };
  let bad = false;
  function* views(): Generator<ImageView> {
    for (const { data, index } of names) {
      try {
        const view = inspectImage(named(data), index === undefined ? null : named(index), asked);
        bad ||= !view.recognised;
        yield view;
      } catch (error) {
        if (!(error instanceof UnreadableFile)) throw error;
        bad = true;
        process.stderr.write(`${oneLine(error.message)}\n`);
      }
    }
  }
  try {
    if (options.json) await print(function* () {
      yield* jsonPieces({ schema: VIEW_SCHEMA, images: views() });
      yield '\n';
    }(), signal);
    else await printLines(lines(views()), signal);
    return bad ? EXIT.findings : EXIT.ok;
  } finally {
    opened.forEach((file) => file.close());
  }
}

function* lines(views: Iterable<ImageView>): Generator<string> {
  const colour = process.stdout.isTTY && !process.env['NO_COLOR'];
  let first = true;
  for (const view of views) {
    if (!first) yield* ['', ''];
    first = false;
    yield* inspectLines(view, colour);
  }
}
