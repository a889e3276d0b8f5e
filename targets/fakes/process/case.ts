// SPDX-License-Identifier: MIT
/** A case as a process was sent it, read back from its files. */
import { readFileSync } from 'node:fs';
import type { Case, Layer } from '../../../model/index.ts';
import type { CaseMessage, LayerMessage } from '../../process/messages.ts';

/** The case of a message; the clauses that its generator named are not sent. */
export function caseOf(message: CaseMessage): Case {
  const { id: _, type: __, case: id, device, layers, reads, ...access } = message;
  return { id, device, layers: layers.map(layerOf), access: { ...access, reads }, clauses: { exercises: [], violates: [] } };
}

function layerOf({ path, wrapping, exposedBytes, index, remote, extents }: LayerMessage): Layer {
  return {
    wrapping, bytes: readFileSync(path),
    ...(exposedBytes === undefined ? {} : { exposedBytes }),
    ...(index === undefined ? {} : { index: readFileSync(index.path) }),
    ...(remote === undefined ? {} : { remote: readFileSync(remote.path) }),
    ...(extents === undefined ? {} : { extents }),
  };
}
