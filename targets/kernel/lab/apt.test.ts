// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { aptProgress, aptReason, parseShow } from './apt.ts';
import { installCommand, MissingPackages } from './packages.ts';

describe('apt', () => {
  it('reads candidates', () => {
    const text = [
      'Package: linux-headers-6.1.0-9-cloud-amd64', 'Version: 6.1.27-1', 'Depends: linux-headers-6.1.0-9-common (= 6.1.27-1), linux-kbuild-6.1 (>= 6.1.27-1), gcc-12 | clang',
      'Description: headers', ' more words', 'Size: 123', 'SHA256: abcd', '', 'Package: other', 'Version: 1', '',
    ].join('\n');
    expect(parseShow(text).get('linux-headers-6.1.0-9-cloud-amd64')).toEqual({
      name: 'linux-headers-6.1.0-9-cloud-amd64', version: '6.1.27-1', size: 123, sha256: 'abcd',
      depends: ['linux-headers-6.1.0-9-common', 'linux-kbuild-6.1', 'gcc-12'],
    });
    expect(parseShow(text).size).toBe(2);
  });

  it('says why it failed, in one line', () => {
    const result = (stderr: string, timedOut = false): string => aptReason({ stdout: '', stderr, timedOut });
    expect(result("Err:1 x\nE: Failed to fetch http://mirror.test/debian/x.deb  Temporary failure resolving 'mirror.test'\nE: Some index files failed to download.")).toBe(
      "fetching x.deb: Temporary failure resolving 'mirror.test'",
    );
    expect(result("W: Failed to fetch x\nE: Some index files failed to download. They have been ignored")).toBe('Failed to fetch x');
    expect(result('', true)).toBe('it took too long');
    expect(result('')).toBe('no reason given');
  });

  it('shows progress without addresses', () => {
    expect(aptProgress('Get:3 http://mirror.test/debian bookworm/main amd64 gcc-12 amd64 12.2.0-14 [19.4 MB]')).toBe('fetching gcc-12');
    expect(aptProgress('Setting up gcc-12 (12.2.0-14) ...')).toBe('Setting up gcc-12');
  });

  it('names the command that a person is to run', () => {
    const error = new MissingPackages(['qemu-system-x86', 'gcc-12']);
    expect(error.message).toBe(`missing: qemu-system-x86, gcc-12; run as root: ${error.install}`);
    expect(error.install).toBe(installCommand(['qemu-system-x86', 'gcc-12']));
  });
});
