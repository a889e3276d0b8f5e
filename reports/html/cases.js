// SPDX-License-Identifier: MIT
// All cases: rows are made as they are asked for, so that very many cost nothing.

const STEP = 200;
const CLASSES = { v: 'valid', i: 'invalid', p: 'permissive' };

function startCases() {
  const { ids, classes, columns, texts, anchors } = data.cases;
  const form = byId('case-filter');
  const rows = byId('case-rows');
  const more = byId('more-cases');
  const used = new Set(columns.flatMap((c) => [...new Set(c.kinds)]));
  form.elements.kind.append(...data.kinds.filter((_, i) => used.has(String.fromCharCode(97 + i))).map((k) => el('option', {}, k)));
  let found = [];
  let lower;
  let shown = 0;

  const search = () => {
    const text = form.elements.text.value.trim().toLowerCase();
    const kind = form.elements.kind.value === '' ? '' : String.fromCharCode(97 + data.kinds.indexOf(form.elements.kind.value));
    const target = data.targets.indexOf(form.elements.target.value);
    const wanted = target < 0 ? columns : [columns[target]];
    const of = form.elements.class.value[0] ?? '';
    if (text !== '') lower ??= texts.map((t) => t.toLowerCase());
    const fits = text === '' ? [] : lower.map((t) => t.includes(text));
    found = [];
    for (let i = 0; i < ids.length; i++) {
      if (of !== '' && classes[i] !== of) continue;
      if (kind !== '' && !wanted.some((c) => c.kinds[i] === kind)) continue;
      if (text !== '' && !ids[i].toLowerCase().includes(text) && !wanted.some((c) => (c.more[i] ?? []).some((t) => t >= 0 && fits[t]))) continue;
      found.push(i);
    }
    rows.replaceChildren();
    shown = 0;
    show();
    byId('case-status').textContent = `${found.length} of ${ids.length} cases`;
  };

  const show = () => {
    const next = found.slice(shown, shown + STEP);
    rows.append(...next.map((i) => el('tr', { id: `case-${ids[i]}`, tabindex: '-1' }, el('th', { scope: 'row' }, ids[i]), el('td', {}, CLASSES[classes[i]]), columns.map((c) => cell(c, i)))));
    shown += next.length;
    more.hidden = shown >= found.length;
    more.textContent = `${Math.min(STEP, found.length - shown)} more of ${found.length - shown}`;
  };

  const cell = (column, i) => {
    const kind = data.kinds[column.kinds.charCodeAt(i) - 97];
    if (kind === undefined) return el('td', { class: 'none' }, '·');
    const [signature, why] = column.more[i] ?? [-1, -1];
    const anchor = anchors[signature];
    const words = kind.replace('-', ' ');
    const known = anchor !== undefined && data.findings[anchor] !== undefined;
    return el('td', { class: `k-${kind}`, title: [texts[signature], texts[why]].filter(Boolean).map(visible).join(': ') || undefined }, known ? el('a', { href: `#finding-${anchor}` }, words) : words);
  };

  form.addEventListener('input', search);
  form.addEventListener('submit', (event) => event.preventDefault());
  more.addEventListener('click', () => {
    const before = shown;
    show();
    rows.children[before]?.focus();
  });
  search();
  return {
    /** Shows one case by its id; null where there is none. */
    find: (id) => {
      if (!ids.includes(id)) return null;
      form.reset();
      form.elements.text.value = id;
      search();
      return byId(`case-${id}`);
    },
  };
}
