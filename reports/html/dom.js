// SPDX-License-Identifier: MIT
// Elements made of text alone: nothing here takes markup.

const data = JSON.parse(document.getElementById('data').textContent);
const byId = (id) => document.getElementById(id);

/** An element with attributes (`on…` are listeners) and children, which are elements or text. */
function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? '' : String(value));
  }
  element.append(...children.flat().filter((c) => c !== null && c !== undefined && c !== false).map((c) => (c instanceof Node ? c : visible(String(c)))));
  return element;
}

/** Control characters and marks that turn the writing direction are shown, not obeyed. */
function visible(text) {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** Says something to those who do not see it, and shows it for a moment. */
function say(text) {
  const said = byId('said');
  said.textContent = text;
  said.classList.add('shown');
  clearTimeout(say.timer);
  say.timer = setTimeout(() => said.classList.remove('shown'), 2000);
}

/** Text with a button that copies it. */
function copyable(text, what) {
  const button = el('button', {
    type: 'button', 'aria-label': `Copy ${what}`,
    onclick: async () => say((await copy(text)) ? `Copied ${what}` : 'This browser does not let the page copy: select the text'),
  }, 'Copy');
  return el('div', { class: 'copyable' }, el('pre', { tabindex: '0' }, el('code', {}, text)), button);
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = el('textarea', { class: 'away', 'aria-hidden': 'true' });
    area.value = text;
    document.body.append(area);
    area.select();
    const copied = document.execCommand('copy');
    area.remove();
    return copied;
  }
}

/** A part of a finding under its heading. */
function part(title, ...children) {
  return el('section', { class: 'part' }, el('h3', {}, title), ...children);
}

function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
}

const hex = (n, digits) => n.toString(16).padStart(digits, '0');
