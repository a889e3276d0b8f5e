// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import type { BackingFault } from '../../model/index.ts';
import { actionsOf, tablesOf } from './backing.ts';
import type { Deployment } from './deploy.ts';

const DUST = ['linear', 'dust'];
/** 16 sectors that begin at sector 8 of the mailbox. */
const STARTS = [8 * 512];

function deployment(fault: Partial<BackingFault>): Deployment {
  const slice = { image: new Uint8Array(8192), deviceBytes: 8192, garbageFrom: 8192 };
  return { slices: [slice], devices: [{ slice: 0, layer: 0, fault: { layer: 0, from: 1024, to: 2048, kind: 'dust', since: 1, ...fault } }] };
}

describe('bad sectors', () => {
  const rest = [{ start: 0, sectors: 2, type: 'linear', params: '@m 8' }, { start: 4, sectors: 12, type: 'linear', params: '@m 12' }];
  const bad = ['quiet', 'addbadblock 10', 'addbadblock 11'].map((text) => ({ sector: 2, text }));

  it('are there from the start where the kernel has dust, and fail from their read on', () => {
    const d = deployment({ until: 3 });
    const [device] = tablesOf(d, STARTS, DUST);
    expect(device!.table).toEqual([rest[0], { start: 2, sectors: 2, type: 'dust', params: '@m 10 512' }, rest[1]]);
    expect(device!.messages).toEqual(bad);
    expect(actionsOf(d, STARTS, DUST)).toEqual([
      { before: 1, device: 0, kind: 'message', offset: 1024, length: 0, text: 'enable' }, { before: 3, device: 0, kind: 'message', offset: 1024, length: 0, text: 'disable' },
    ]);
  });

  it('fail at once where that is asked for', () => {
    expect(tablesOf(deployment({ since: -1 }), STARTS, DUST)[0]!.messages).toEqual([...bad, { sector: 2, text: 'enable' }]);
    expect(actionsOf(deployment({ since: -1 }), STARTS, DUST)).toEqual([]);
  });

  it('end with the device, and are none behind it', () => {
    expect(tablesOf(deployment({ from: 7680, to: 7680 + 64 * 512 }), STARTS, DUST)[0]!.messages!.map((m) => m.text)).toEqual(['quiet', 'addbadblock 23']);
    const behind = deployment({ from: 8192, to: 8704, until: 2 });
    expect(tablesOf(behind, STARTS, DUST)[0]).toEqual({ table: [{ start: 0, sectors: 16, type: 'linear', params: '@m 8' }], slice: true });
    expect(actionsOf(behind, STARTS, DUST)).toEqual([]);
  });

  it.each([['without dust', {}, ['linear']], ['of more than can be told', { to: 1024 + 251 * 512 }, DUST]] as const)('are those of the error target %s', (_, more, targets) => {
    const asError = { ...more, kind: 'error' as const, until: 3 };
    const asDust = { ...more, until: 3 };
    expect(tablesOf(deployment(asDust), STARTS, targets)).toEqual(tablesOf(deployment(asError), STARTS, targets));
    expect(actionsOf(deployment(asDust), STARTS, targets)).toEqual(actionsOf(deployment(asError), STARTS, targets));
    expect(actionsOf(deployment(asDust), STARTS, targets).map((a) => a.table!.some((line) => line.type === 'error'))).toEqual([true, false]);
  });
});
