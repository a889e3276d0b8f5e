// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { findDeb822, findOneLine } from './backports.ts';

describe('the mirror that a machine is configured with', () => {
  it('is found among stanzas, with its key', () => {
    const text = `Types: deb\nURIs: http://security.example/debian-security\nSuites: bookworm-security\nComponents: main\n
# comment
Types: deb deb-src
URIs: http://mirror.example/debian http://other.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By:
 -----BEGIN
 .
 -----END\n`;
    expect(findDeb822(text)).toEqual({ uri: 'http://mirror.example/debian', signedBy: '\n -----BEGIN\n .\n -----END' });
  });

  it('is not a disabled one, one of another release, or one without main', () => {
    const stanza = (more: string, suite = 'bookworm', component = 'main'): string => `Types: deb\nURIs: http://a.example\nSuites: ${suite}\nComponents: ${component}\n${more}`;
    expect(findDeb822(stanza(''))).toEqual({ uri: 'http://a.example' });
    expect(findDeb822(stanza('Enabled: no\n'))).toBeUndefined();
    expect(findDeb822(stanza('', 'trixie'))).toBeUndefined();
    expect(findDeb822(stanza('', 'bookworm', 'contrib'))).toBeUndefined();
    expect(findDeb822('')).toBeUndefined();
  });

  it('is found among lines, with its options', () => {
    expect(findOneLine('# deb http://no.example bookworm main\ndeb-src http://no.example bookworm main\ndeb http://a.example/debian bookworm contrib main\n')).toEqual({ uri: 'http://a.example/debian' });
    expect(findOneLine('deb [arch=amd64 signed-by=/a.gpg,/b.gpg] http://a.example bookworm main')).toEqual({ uri: 'http://a.example', signedBy: '/a.gpg /b.gpg' });
    expect(findOneLine('deb http://a.example bookworm-updates main')).toBeUndefined();
  });
});
