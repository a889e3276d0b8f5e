// SPDX-License-Identifier: MIT
// Bytes of an image with names on them: a table of rows beside a table of fields, each pointing at the other.

/** One file of a layer. */
function hexView(image, number) {
  const width = window.matchMedia('(max-width: 600px)').matches ? 8 : 16;
  const id = `hex-${number}`;
  const status = el('output', { class: 'pointed', 'aria-live': 'polite' }, image.faults.length > 0 ? faultText(image.faults[0]) : 'Choose a field, or a byte.');
  const body = el('tbody');
  for (const piece of image.pieces) {
    if ('skipped' in piece) {
      body.append(el('tr', { class: 'gap' }, el('th', { scope: 'row' }, hex(piece.at, 8)), el('td', { colspan: '2' }, gapText(piece))));
      continue;
    }
    const bytes = bytesOf(piece.base64);
    for (let i = 0; i < bytes.length; i += width) body.append(hexRow(image, piece.at + i, bytes.subarray(i, i + width), width));
  }
  const rows = el('div', { class: 'scroll tall bytes', tabindex: '0', role: 'region', 'aria-label': `Bytes of ${image.file}` },
    el('table', {}, el('thead', {}, el('tr', {}, ...['At', 'Bytes', 'Text'].map((t) => el('th', { scope: 'col' }, t)))), body));
  const fieldRows = image.fields.map((f, i) => fieldRow(image, f, i));
  const fields = el('tbody', {}, image.fields.flatMap((f, i) => [
    f.structure !== image.fields[i - 1]?.structure && el('tr', { class: 'group' }, el('th', { colspan: '4', scope: 'rowgroup' }, f.structure)), fieldRows[i],
  ]));
  const point = (index, at) => {
    const f = image.fields[index];
    for (const one of rows.querySelectorAll('.on')) one.classList.remove('on');
    for (const one of fields.querySelectorAll('.on')) one.classList.remove('on');
    if (f === undefined) {
      status.textContent = `Byte ${at}: no field`;
      return;
    }
    for (const one of rows.querySelectorAll(`[data-field="${index}"]`)) one.classList.add('on');
    fieldRows[index].classList.add('on');
    const faults = image.faults.filter((x) => x.at >= f.at && x.at < f.at + f.size);
    status.replaceChildren(`${f.structure}: ${f.name} at ${f.at}, ${f.size} bytes: ${visible(f.shown)}${f.text === '' ? '' : ` (${visible(f.text)})`} `, ...clauseLinks(f.clauses), ...faults.map((x) => ` ${faultText(x)}`));
  };
  rows.addEventListener('click', (event) => {
    const byte = event.target.closest('[data-at]');
    if (byte === null) return;
    point(byte.dataset.field === undefined ? -1 : Number(byte.dataset.field), Number(byte.dataset.at));
    if (byte.dataset.field !== undefined) scrollInside(fieldRows[Number(byte.dataset.field)]);
  });
  fields.addEventListener('click', (event) => {
    const button = event.target.closest('button');
    if (button === null) return;
    const index = Number(button.dataset.index);
    point(index, 0);
    const byte = rows.querySelector(`[data-field="${index}"]`);
    if (byte !== null) scrollInside(byte);
  });
  const first = image.faults.find((f) => f.named);
  const view = el('div', { class: 'hex', id }, el('p', {}, el('code', {}, image.file), ` ${image.title}, ${image.size} bytes`),
    image.faults.length > 0 && el('ul', { class: 'faults' }, image.faults.slice(0, 12).map((f) => el('li', { class: f.named ? 'named' : '' }, faultText(f), ...clauseLinks([f.clause])))),
    status, el('div', { class: 'two' }, rows, image.fields.length > 0 && el('div', { class: 'scroll tall', tabindex: '0', role: 'region', 'aria-label': `Fields of ${image.file}` },
      el('table', { class: 'fields' }, el('thead', {}, el('tr', {}, ...['Field', 'At', 'Value', 'Clauses'].map((t) => el('th', { scope: 'col' }, t)))), fields))));
  if (first !== undefined) requestAnimationFrame(() => {
    const byte = rows.querySelector('.fault');
    if (byte === null) return;
    scrollInside(byte);
    if (byte.dataset.field === undefined) return;
    point(Number(byte.dataset.field), first.at);
    scrollInside(fieldRows[Number(byte.dataset.field)]);
  });
  return view;
}

/** Scrolls the box around it, never the page. */
function scrollInside(element) {
  const box = element.closest('.scroll');
  const [a, b] = [element.getBoundingClientRect(), box.getBoundingClientRect()];
  if (a.top < b.top + 40 || a.bottom > b.bottom) box.scrollTop += a.top - b.top - box.clientHeight / 3;
}

function gapText({ skipped, fill, repeated }) {
  return `${skipped} bytes ${fill !== undefined ? `of ${hex(fill, 2)}` : repeated ? 'that repeat what stands before them' : 'not shown'}`;
}

function faultText({ at, note, named }) {
  return `${named ? 'Wrong' : 'To be noted'} at byte ${at}: ${visible(note)} `;
}

function clauseLinks(ids) {
  return ids.flatMap((id) => [el('a', { href: `#clause-${id}` }, id), ' ']);
}

/** The smallest field around a byte. */
function fieldAt({ fields }, at) {
  let found = -1;
  fields.forEach((f, i) => {
    if (f.at <= at && at < f.at + f.size && (found < 0 || f.size < fields[found].size)) found = i;
  });
  return found;
}

function hexRow(image, at, bytes, width) {
  const cells = [];
  bytes.forEach((b, i) => {
    const index = fieldAt(image, at + i);
    const fault = image.faults.find((f) => at + i >= f.at && at + i < f.at + Math.max(f.size, 1));
    const classes = [index >= 0 ? `f${index % 4}` : '', fault === undefined ? '' : fault.named ? 'fault' : 'mark'].filter(Boolean).join(' ');
    cells.push(el('span', { class: classes || undefined, 'data-at': at + i, 'data-field': index >= 0 ? index : undefined }, hex(b, 2)), ' ');
  });
  const text = [...bytes].map((b) => (b >= 0x20 && b < 0x7f ? String.fromCharCode(b) : '.')).join('');
  return el('tr', {}, el('th', { scope: 'row' }, hex(at, 8)), el('td', {}, ...cells, bytes.length < width ? '   '.repeat(width - bytes.length) : ''), el('td', { class: 'text' }, text));
}

function fieldRow(image, f, index) {
  const faults = image.faults.filter((x) => x.at >= f.at && x.at < f.at + f.size);
  return el('tr', { class: faults.some((x) => x.named) ? 'fault' : faults.length > 0 ? 'mark' : undefined },
    el('th', { scope: 'row' }, el('button', { type: 'button', 'data-index': index, }, f.name)), el('td', {}, f.at),
    el('td', { class: 'value' }, f.shown.length > 60 ? `${f.shown.slice(0, 60)}…` : f.shown, f.text !== '' && el('small', {}, ` ${f.text}`)),
    el('td', {}, ...clauseLinks(f.clauses)));
}
