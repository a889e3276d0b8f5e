// SPDX-License-Identifier: MIT
/** What is made of a stored run, by the rules of whoever reads it. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Event } from '../model/index.ts';
import { Steps } from '../targets/kernel/lab/index.ts';
import { ensurePackages } from '../targets/kernel/lab/packages.ts';
import { badgeJson, badgeSvg, badgeWords } from './badge.ts';
import { errataTargets, errataText } from './errata.ts';
import { JunitReporter } from './junit.ts';
import { md, mdBlock, mdCode } from './markdown.ts';
import { sarifText } from './sarif.ts';
import { summaryText } from './summary.ts';
import { feed, viewOf, type View } from './view/index.ts';
import { HOSTILE, hostile, writeSampleRun } from './view/testing.ts';

const folders: string[] = [];
let plain: View;
let evil: View;
let cut: View;
async function stored(change?: (events: Event[]) => readonly Event[]): Promise<View> {
  folders.push(writeSampleRun(change));
  return viewOf(folders.at(-1)!);
}
beforeAll(async () => {
  plain = await stored();
  evil = await stored(hostile);
  cut = await stored((events) => events.slice(0, -1));
});
afterAll(() => folders.forEach((f) => rmSync(f, { recursive: true })));

describe('SARIF', () => {
  test('is of the types that are made from the standard\'s schema', () => {
    const file = join(import.meta.dirname, 'sarif.generated.ts');
    const texts = new Map([plain, evil, cut].map((view, i) => [file.replace('generated', `generated${i}`), `import type { Log } from 'sarif';\nexport const log: Log = ${sarifText(view)};\n`]));
    const options: ts.CompilerOptions = { strict: true, noEmit: true, skipLibCheck: true, module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext, types: [] };
    const host = ts.createCompilerHost(options);
    const { getSourceFile, fileExists, readFile } = host;
    host.fileExists = (name) => texts.has(name) || fileExists(name);
    host.readFile = (name) => texts.get(name) ?? readFile(name);
    host.getSourceFile = (name, target) => (texts.has(name) ? ts.createSourceFile(name, texts.get(name)!, target) : getSourceFile(name, target));
    const diagnostics = (program: ts.Program): string[] => ts.getPreEmitDiagnostics(program).map((d) => ts.flattenDiagnosticMessageText(d.messageText, '\n'));
    expect(diagnostics(ts.createProgram([...texts.keys()], options, host))).toEqual([]);
    // And would say so if it were not.
    const first = [...texts.keys()][0]!;
    texts.set(first, texts.get(first)!.replace('"startLine"', '"startLin"').replace('"ruleIndex": ', '"ruleIndex": "x" + '));
    expect(diagnostics(ts.createProgram([first], options, host))).not.toEqual([]);
  });

  test('has what the standard asks for beyond types', () => {
    for (const view of [plain, evil, cut]) {
      const { runs: [run] } = JSON.parse(sarifText(view));
      const { rules } = run.tool.driver;
      expect(new Set(rules.map((r: { id: string }) => r.id)).size).toBe(rules.length);
      for (const r of run.results) {
        expect(rules[r.ruleIndex].id).toBe(r.ruleId);
        expect(r.message.text.length).toBeGreaterThan(0);
        expect(r.occurrenceCount).toBeGreaterThan(0);
        for (const { physicalLocation: { artifactLocation: { uri }, region } } of r.locations) {
          expect(uri).toMatch(/^[\w.~%/-]+$/);
          expect(uri).not.toMatch(/(^|\/)\.\.(\/|$)|^\//);
          expect(region.startLine ?? region.byteOffset + 1).toBeGreaterThan(0);
        }
      }
      const prints = run.results.map((r: any) => r.partialFingerprints['ovbdSignature/v1']);
      expect(new Set(prints).size).toBe(prints.length);
    }
    expect(JSON.parse(sarifText(cut)).runs[0].invocations[0].executionSuccessful).toBe(false);
    expect(JSON.parse(sarifText(plain)).runs[0].invocations[0].executionSuccessful).toBe(true);
  });
});

// Installed where we may; a machine that cannot have it skips, and says why.
const why = await ensurePackages('xml', new Steps()).then(() => '', (error: Error) => ` (skipped: ${error.message})`);

describe.skipIf(why !== '')(`through xmllint${why}`, () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ovbd-xml-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function lint(text: string, ...args: string[]): { status: number | null; stderr: string } {
    const file = join(folder, 'x.xml');
    writeFileSync(file, text);
    return spawnSync('xmllint', ['--nonet', '--noout', ...args, file], { encoding: 'utf8' });
  }

  function junit(view: View): string {
    let text = '';
    feed(view, new JunitReporter((more) => { text += more; }));
    return text;
  }

  test('JUnit is of the form that CI systems take', () => {
    const schema = ['--schema', join(import.meta.dirname, 'junit.xsd')];
    for (const view of [plain, evil, cut]) expect(lint(junit(view), ...schema)).toMatchObject({ status: 0 });
    expect(lint(junit(plain).replace('<testcase ', '<testcas '), ...schema).status).not.toBe(0);
    expect(lint(junit(plain).replace('failures="', 'failures="x'), ...schema).status).not.toBe(0);
  });

  test('the badge is well-formed', () => {
    for (const view of [plain, evil, cut]) expect(lint(badgeSvg(view))).toMatchObject({ status: 0, stderr: '' });
  });
});

test('the badge says what is sure', () => {
  expect(badgeWords(plain).message).toBe('2 findings');
  expect(badgeWords(cut).message).toBe('no whole run');
  const passing = { ...plain, findings: [], cases: [], footer: { ...plain.footer!, verdicts: { oracle: { pass: 4 } } } };
  expect(badgeWords(passing).message).toBe('no findings in 4 cases');
  expect(badgeWords({ ...passing, footer: { ...passing.footer, complete: false } }).message).toBe('stopped after 4 cases');
  expect(badgeWords({ ...passing, cases: plain.cases }).message).toBe('errors of the suite');
  // What https://shields.io/badges/endpoint-badge asks for.
  expect(JSON.parse(badgeJson(plain))).toEqual({ schemaVersion: 1, label: expect.any(String), message: '2 findings', color: expect.stringMatching(/^[0-9a-f]{6}$/), isError: true });
});

describe('Markdown', () => {
  test('nothing that a target says is markup', () => {
    for (const text of [md(HOSTILE), summaryText(evil), ...errataTargets(evil).map((t) => errataText(evil, t))]) {
      const outside = text.replace(/^(`{3,})[\s\S]*?^\1$/gm, '').replace(/(`+)[^`][\s\S]*?\1/g, '');
      expect(outside).not.toMatch(/<(script|img)/);
      expect(outside).not.toMatch(/(?<!\\)@someone|\u001b/);
    }
    expect(md('# a | b')).toBe('\\# a \\| b');
    expect(mdCode('a`b')).toBe('``a`b``');
    expect(mdBlock('```\nx').at(0)).toBe('````');
  });

  test('the summary stays below its limit, and says what it leaves out', () => {
    const many: View = { ...plain, findings: Array.from({ length: 4000 }, (_, i) => ({ ...plain.findings[0]!, event: { ...plain.findings[0]!.event, signature: `crash: ${i}`, why: 'é'.repeat(300) } })) };
    const text = summaryText(many);
    expect(Buffer.byteLength(text)).toBeLessThan(1 << 20);
    expect(text).toMatch(/and \d+ findings more/);
    expect(Buffer.byteLength(summaryText(many, 300))).toBeLessThanOrEqual(300);
    expect(summaryText(cut)).toMatch(/no whole run/);
  });

  test('an implementation\'s page has its versions, the clause, and the bytes', () => {
    const [target, ...others] = errataTargets(plain);
    expect(others).toEqual([]);
    const page = errataText(plain, target!);
    expect(page).toContain('# Errata: patch');
    expect(page).toContain('6.1.0-1');
    expect(page).toContain('## Wrong bytes');
    expect(page).toMatch(/Clause `LS-MAP-01`: Sector s of a data entry/);
    expect(page).toContain('Read 1: 512 bytes came of 512, 1 of them differ, the first at 100');
  });
});
