// SPDX-License-Identifier: MIT
// What is in a finding, made when it is opened.

function fillFinding(details) {
  const body = details.querySelector('.body');
  const finding = data.findings[details.dataset.finding];
  if (finding === undefined || body.childElementCount > 0) return;
  const { evidence } = finding;
  body.append(...(evidence === null ? [el('p', {}, 'The folder of this finding could not be read.')] : evidenceParts(finding, evidence)), membersPart(finding));
}

function evidenceParts(finding, evidence) {
  const parts = [];
  const reproTo = finding.members.find((m) => m.target === finding.target);
  if (finding.embargo) parts.push(el('p', {}, 'Images, scripts and logs are held back for now.'));
  parts.push(el('div', { class: 'two' }, part('Expected', lines(evidence.expected), evidence.alternatives.length > 0 && el('details', {}, el('summary', {}, 'Also allowed'), lines(evidence.alternatives))),
    part('Observed', lines(evidence.observed))));
  for (const read of evidence.reads) parts.push(readPart(read));
  const log = evidence.log !== '' && part('Log', logView(evidence.log));
  // Of a death the log says most; of wrong bytes it says little.
  const logFirst = ['crash', 'hang', 'memory', 'leak'].includes(finding.kind);
  if (log && logFirst) parts.push(log);
  if (evidence.images.length > 0) parts.push(part('Smallest image', ...evidence.images.map(hexView)));
  parts.push(part('Access plan', el('pre', { tabindex: '0' }, [
    ...(evidence.plan.before > 0 ? [`${evidence.plan.before} cases before it`] : []), ...evidence.plan.table, `behind the image: ${evidence.plan.slack}`,
    ...evidence.plan.reads.map((r, i) => `read ${i}: ${r}`), ...(evidence.plan.crowd ? [evidence.plan.crowd] : []), ...(evidence.plan.procedure ? [evidence.plan.procedure] : []),
  ].join('\n'))));
  if (log && !logFirst) parts.push(log);
  if (reproTo !== undefined && reproTo.replay !== '') {
    parts.push(part('Show it again', copyable(reproTo.replay, 'the replay command'),
      reproTo.repro && copyable(`sh ${reproTo.folder}/repro.sh`, 'the command of the script'),
      evidence.repro && el('details', {}, el('summary', {}, 'The script, for who has no such suite'), copyable(evidence.repro, 'the script'))));
  }
  return parts;
}

function lines(all) {
  return el('ul', { class: 'lines' }, all.map((line) => el('li', {}, line)));
}

/** Expected beside observed, the bytes that differ marked. */
function readPart(read) {
  const [expected, observed] = [bytesOf(read.expected), bytesOf(read.observed)];
  const width = window.matchMedia('(max-width: 600px)').matches ? 4 : 16;
  const rows = [];
  for (let i = 0; i < Math.max(expected.length, observed.length); i += width) {
    const side = (own, other) => {
      const cell = el('td');
      for (let k = i; k < Math.min(own.length, i + width); k++) cell.append(el('span', { class: own[k] !== other[k] ? 'fault' : undefined }, hex(own[k], 2)), ' ');
      return cell;
    };
    rows.push(el('tr', {}, el('th', { scope: 'row' }, hex(read.from + i, 6)), side(expected, observed), side(observed, expected)));
  }
  return part(`Read ${read.read}: ${read.plan}`,
    el('p', {}, `${read.observedSize} bytes came of ${read.expectedSize}; ${read.different} differ, the first at ${read.firstDifference}.`),
    el('div', { class: 'scroll tall bytes', tabindex: '0', role: 'region', 'aria-label': `Bytes of read ${read.read}` },
      el('table', {}, el('thead', {}, el('tr', {}, ...['At', 'Expected', 'Observed'].map((t) => el('th', { scope: 'col' }, t)))), el('tbody', {}, rows))));
}

/** Frames with a line of the sources under test stand out. */
function logView(log) {
  const pre = el('pre', { class: 'log', tabindex: '0' });
  for (const line of log.replace(/\r\n?/g, '\n').split('\n')) pre.append(/\([\w.+-]+\.[ch]:\d+/.test(line) ? el('mark', {}, line) : visible(line), '\n');
  return pre;
}

function membersPart({ members }) {
  return part('Who shows it', el('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Targets that show it' }, el('table', { class: 'members' },
    el('thead', {}, el('tr', {}, ...['Target', 'Cases', 'Shown', 'Where', ''].map((t) => el('th', { scope: 'col' }, t)))),
    el('tbody', {}, members.map((m) => el('tr', {}, el('th', { scope: 'row' }, m.target), el('td', {}, m.count), el('td', {}, m.sure, m.label && el('small', {}, ` ${m.label}`), m.known && el('small', {}, ` known: ${m.known.reason}`)),
      el('td', { class: 'value' }, m.where.join(' ← ') || m.why),
      el('td', {}, m.replay !== '' && el('button', { type: 'button', 'aria-label': `Copy the replay command on ${m.target}`, onclick: async () => say((await copy(m.replay)) ? 'Copied' : 'Not copied') }, 'Copy replay'))))))));
}
