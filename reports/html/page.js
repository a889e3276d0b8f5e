// SPDX-License-Identifier: MIT
// Filters of what stands in the page, links that open what they point at, and the switch between light and dark.

function startFilter(form) {
  const items = [...byId(form.dataset.list).children];
  const status = byId(form.dataset.status);
  const noun = form.dataset.noun;
  const apply = () => {
    let shown = 0;
    const wanted = [...form.elements].filter((e) => e.name && e.value.trim() !== '').map((e) => [e.name, e.value.trim()]);
    for (const item of items) {
      const fits = wanted.every(([name, value]) => (name === 'text' ? item.dataset.text.includes(value.toLowerCase()) : item.dataset[name].split('\n').includes(value)));
      item.hidden = !fits;
      if (fits) shown++;
    }
    status.textContent = `${shown} of ${items.length} ${noun}${items.length === 1 ? '' : 's'}`;
  };
  form.addEventListener('input', apply);
  form.addEventListener('submit', (event) => event.preventDefault());
  apply();
  return { list: byId(form.dataset.list), clear: () => { form.reset(); apply(); } };
}

const filters = [...document.querySelectorAll('form[data-list]')].map(startFilter);
const cases = startCases();

// Capture: the event does not bubble.
document.addEventListener('toggle', (event) => {
  if (event.target.dataset?.finding !== undefined && event.target.open) fillFinding(event.target);
}, true);

/** Opens and shows what the address names, whatever a filter hides. */
function follow() {
  const name = decodeURIComponent(location.hash.slice(1));
  const target = name.startsWith('case-') ? cases.find(name.slice(5)) ?? byId(name) : byId(name);
  if (target === null) {
    if (name.startsWith('case-')) say('This case is not in the list');
    return;
  }
  for (const { list, clear } of filters) if (list.contains(target) && target.closest('[hidden]') !== null) clear();
  if (target.dataset.finding !== undefined) {
    target.open = true;
    fillFinding(target);
    target.querySelector('summary').focus({ preventScroll: true });
  } else if (target.tabIndex === -1) {
    target.focus({ preventScroll: true });
  }
  for (const one of document.querySelectorAll('.target')) one.classList.remove('target');
  if (target.matches('tr, details')) target.classList.add('target');
  target.scrollIntoView({ block: target.matches('tr') ? 'center' : 'start' });
}
window.addEventListener('hashchange', follow);
// A link to where one is already changes no hash.
document.addEventListener('click', (event) => {
  const link = event.target.closest?.('a[href^="#"]');
  if (link !== null && link !== undefined && link.getAttribute('href') === location.hash) follow();
});
if (location.hash !== '') follow();

const theme = byId('theme');
const system = window.matchMedia('(prefers-color-scheme: dark)');
const stored = () => {
  try {
    return localStorage.getItem('ovbd-theme');
  } catch {
    return null;
  }
};
function setTheme(name) {
  if (name === 'dark' || name === 'light') document.documentElement.dataset.theme = name;
  theme.textContent = (name ?? (system.matches ? 'dark' : 'light')) === 'dark' ? 'Light' : 'Dark';
}
theme.addEventListener('click', () => {
  const name = theme.textContent.toLowerCase();
  setTheme(name);
  try {
    localStorage.setItem('ovbd-theme', name);
  } catch {
    // It then lasts as long as the page.
  }
});
theme.hidden = false;
setTheme(stored());
