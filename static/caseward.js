// Caseward's own script: comforts only. Every page must work without it; nothing here decides who may see or do what.
(() => {
  'use strict';
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const on = (type, handler, capture = false) => document.addEventListener(type, handler, capture);
  const escape = (text) => String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
  const urlencoded = (pairs) => new URLSearchParams(pairs.filter(([, value]) => typeof value === 'string'));
  const changed = (element) => element.dispatchEvent(new Event('change', { bubbles: true }));
  const fragment = async (url) => {
    const answer = await fetch(url, { headers: { Accept: 'text/html' } });
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.text();
  };

  // Guidance: show the section of what is chosen, in the form the list belongs to. Runs before lists are enhanced.
  all('[data-guidance-for]').forEach((box) => {
    const key = CSS.escape(box.dataset.guidanceFor);
    const form = box.closest('form') || document;
    const parts = `#${key}, #${key}-select, [name="${key}"], [data-guidance="${key}"]`; // lists, or groups of boxes to tick
    const show = () => {
      const chosen = all(parts, form).flatMap((part) => all('option:checked, input:checked', part)).map((one) => one.value);
      const sections = all('[data-value]', box);
      sections.forEach((section) => { section.hidden = !chosen.includes(section.dataset.value); });
      box.hidden = sections.every((section) => section.hidden);
    };
    box.open = true;
    box.querySelector('summary').hidden = true;
    form.addEventListener('change', show);
    show();
  });

  // Pickers: type, choose, and a chip carries the reference. What was typed but not chosen is still sent.
  function addChip(input, item) {
    const field = input.closest('.field');
    const list = field.querySelector('[data-chosen]');
    if (all(`input[name="${input.name}_ref"]`, list).some((box) => box.value === item.ref)) return;
    if (!input.hasAttribute('data-multiple')) list.replaceChildren();
    const words = { __ref__: item.ref, __label__: item.label, __hint__: item.hint || '', __n__: String(list.children.length) };
    const fill = (text) => text.replace(/__(ref|label|hint|n)__/g, (word) => words[word]);
    const chip = field.querySelector('template').content.firstElementChild.cloneNode(true);
    const walker = document.createTreeWalker(chip, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) walker.currentNode.data = fill(walker.currentNode.data);
    [chip, ...all('*', chip)].forEach((element) => [...element.attributes].forEach((a) => { a.value = fill(a.value); }));
    list.append(chip);
    changed(list);
  }

  function enhancePicker(original) {
    const holder = document.createElement('div');
    const { id, name, value } = original;
    const typing = document.activeElement === original; // sooner than the script was there
    const described = original.getAttribute('aria-describedby');
    let latest = 0;
    let waiting;
    let searching = false;
    const source = (query, answer) => {
      const mine = ++latest;
      searching = true;
      clearTimeout(waiting);
      waiting = setTimeout(async () => {
        const url = new URL(original.dataset.url, location.href);
        url.searchParams.set('q', query);
        const found = await fetch(url, { headers: { Accept: 'application/json' } }).then((r) => r.ok ? r.json() : [], () => []);
        if (mine !== latest) return;
        searching = false;
        answer(found);
      }, 150);
    };
    original.replaceWith(holder);
    window.accessibleAutocomplete({
      element: holder, id, name, source, defaultValue: typing ? '' : value, minLength: 1, confirmOnBlur: false, displayMenu: 'overlay',
      tNoResults: () => searching ? 'Searching…' : 'Nobody found',
      templates: {
        inputValue: (item) => (item && item.label) || (typeof item === 'string' ? item : ''),
        suggestion: (item) => item.label === undefined ? escape(item) : `${escape(item.label)} <small>${escape(item.hint || '')}</small>`,
      },
      onConfirm: (item) => {
        if (!item || !item.ref) return;
        addChip(input, item);
        setTimeout(() => { input.value = ''; input.dispatchEvent(new Event('input', { bubbles: true })); });
      },
    });
    const input = holder.querySelector('input.autocomplete__input');
    Object.assign(input.dataset, original.dataset);
    if (original.getAttribute('aria-invalid')) input.setAttribute('aria-invalid', 'true');
    const describe = () => {
      if (described && !(input.getAttribute('aria-describedby') || '').includes(described)) input.setAttribute('aria-describedby', described);
    };
    describe();
    new MutationObserver(describe).observe(input, { attributeFilter: ['aria-describedby'] });
    if (typing) {
      input.focus();
      input.value = value;
      input.dispatchEvent(new Event('input', { bubbles: true }));
    }
    holder.addEventListener('keydown', (event) => { // Enter takes the only match; it never sends a record half picked
      if (event.key !== 'Enter' || !input.value) return;
      const matches = all('.autocomplete__menu--visible [aria-posinset]', holder);
      if (event.target === input && matches.length === 1) matches[0].click();
      if (matches.length || input.form.method === 'post') event.preventDefault();
    });
  }

  function enhanceSelect(select) {
    const texts = [...select.options].map((option) => option.text);
    if (select.multiple || new Set(texts).size < texts.length) return; // two people of one name: never guess
    const { id } = select;
    const empty = [...select.options].find((option) => !option.value);
    const text = () => select.value ? select.selectedOptions[0].text : '';
    const take = (option) => { if (option && !option.selected) { option.selected = true; changed(select); } };
    window.accessibleAutocomplete.enhanceSelectElement({
      selectElement: select, defaultValue: text(), autoselect: false, showAllValues: true, confirmOnBlur: false, displayMenu: 'overlay',
      dropdownArrow: ({ className }) => `<svg class="icon ${className}" viewBox="0 0 24 24" aria-hidden="true"><path d="m6 9.5 6 6 6-6"/></svg>`,
      onConfirm: (chosen) => take([...select.options].find((option) => option.text === chosen)),
    });
    const input = document.getElementById(id);
    ['aria-invalid', 'aria-describedby'].forEach((a) => { if (select.hasAttribute(a)) input.setAttribute(a, select.getAttribute(a)); });
    input.addEventListener('blur', () => setTimeout(() => { // what stands in the box is what will be sent
      const typed = input.value.trim().toLowerCase();
      take(typed ? [...select.options].find((option) => option.text.toLowerCase() === typed) : empty);
      input.value = text();
    }, 200));
  }

  // Suggestions of the search bar: a combobox with a list. Without one the form is sent as it stands.
  all('input[data-suggest]').forEach((input) => {
    const make = (tag, role, more) => { const made = Object.assign(document.createElement(tag), more); made.setAttribute('role', role); return made; };
    const list = make('ul', 'listbox', { id: `${input.id}-list`, className: 'autocomplete__menu', hidden: true });
    const status = Object.assign(document.createElement('p'), { className: 'vh', ariaLive: 'polite' });
    const say = (states) => Object.entries(states).forEach(([name, value]) => input.setAttribute(`aria-${name}`, value));
    let [asking, waiting, at] = [new AbortController(), 0, -1];
    const choose = (place) => {
      at = place;
      [...list.children].forEach((option, n) => {
        option.setAttribute('aria-selected', n === at);
        option.classList.toggle('autocomplete__option--focused', n === at);
        if (n === at) option.scrollIntoView({ block: 'nearest' });
      });
      say({ activedescendant: at < 0 ? '' : list.children[at].id, expanded: !list.hidden });
    };
    const close = () => { asking.abort(); clearTimeout(waiting); list.hidden = true; choose(-1); };
    const show = (found) => {
      list.replaceChildren(...found.map(({ label, hint, url }, n) => {
        const option = make('li', 'option', { id: `${list.id}-${n}`, className: 'autocomplete__option' });
        option.dataset.url = url;
        option.append(label, ' ', Object.assign(document.createElement('small'), { textContent: hint }));
        return option;
      }));
      status.textContent = `${found.length || 'No'} suggestion${found.length === 1 ? '' : 's'}`;
      list.hidden = !found.length;
      choose(-1);
    };
    const ask = async () => {
      const { signal } = asking = new AbortController();
      const answer = await fetch(`${input.dataset.suggest}?${new URLSearchParams({ q: input.value })}`, { signal }).catch(() => null);
      const found = answer && answer.ok ? await answer.json().catch(() => []) : []; // signed out since: a page to sign in on
      if (!signal.aborted) show(found);
    };
    const later = (wait) => { asking.abort(); clearTimeout(waiting); if (input.value.trim()) waiting = setTimeout(ask, wait); else close(); };
    const go = (option) => { if (option) location.assign(option.dataset.url); };
    input.after(list, status);
    list.setAttribute('aria-label', 'Suggestions');
    input.setAttribute('role', 'combobox');
    say({ autocomplete: 'list', controls: list.id, expanded: false });
    input.addEventListener('input', () => later(120));
    if (document.activeElement === input) later(120); // typed sooner than the script was there
    input.addEventListener('blur', close);
    list.addEventListener('mousedown', (event) => event.preventDefault()); // the bar keeps the focus
    list.addEventListener('click', ({ target }) => go(target.closest('li')));
    input.addEventListener('keydown', (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      const many = list.children.length + 1; // the last arrow leads back to what was typed
      if (step) { if (list.hidden) later(0); else choose((at + 1 + step + many) % many - 1); }
      else if (event.key === 'Escape' && !list.hidden) close();
      else if (event.key === 'Enter' && at >= 0) go(list.children[at]);
      else return;
      event.preventDefault();
    });
  });

  document.documentElement.classList.add('js'); // chips then show a button instead of a tick box
  if (window.accessibleAutocomplete) {
    all('input[data-picker]').forEach(enhancePicker);
    all('select[data-enhance]').forEach(enhanceSelect);
  }
  on('click', (event) => {
    const button = event.target.closest('[data-remove]');
    if (!button) return;
    const list = button.closest('[data-chosen]');
    button.closest('li').remove();
    changed(list);
    list.closest('.field').querySelector('input[data-picker]').focus();
  });

  // Files: say at once that one is too large, before anything is sent.
  on('change', ({ target }) => {
    if (!target.dataset || !target.dataset.maxBytes) return;
    const most = Number(target.dataset.maxBytes);
    const large = [...target.files].find((file) => file.size > most);
    const size = (bytes) => `${Math.ceil(bytes / 1048576)} MB`;
    let sentence = document.getElementById(`${target.id}-size`);
    if (!sentence) {
      sentence = Object.assign(document.createElement('p'), { id: `${target.id}-size`, className: 'error' });
      sentence.setAttribute('role', 'alert');
      target.before(sentence);
    }
    sentence.textContent = large ? `${large.name} is ${size(large.size)}. A file may have at most ${size(most)}: choose a smaller one.` : '';
    sentence.hidden = !large;
    target.toggleAttribute('data-too-large', Boolean(large));
    const described = (target.getAttribute('aria-describedby') || '').split(' ').filter((id) => id && id !== sentence.id);
    target.setAttribute('aria-describedby', [...described, ...(large ? [sentence.id] : [])].join(' '));
    if (large) target.setAttribute('aria-invalid', 'true'); else target.removeAttribute('aria-invalid');
  });

  // Sending: once. A file too large stops it and keeps everything that was typed.
  const following = new Map(); // form: the part of its page that a choice has just asked for
  const release = () => all('form[data-submitting]').forEach((form) => form.removeAttribute('data-submitting'));
  on('submit', (event) => {
    const form = event.target;
    const blocked = form.querySelector('[data-too-large]');
    if (blocked) blocked.focus();
    if (blocked || form.hasAttribute('data-submitting')) event.preventDefault();
    const waits = following.get(form); // what the choice means is still on its way, and is sent along
    if (waits && !event.defaultPrevented) {
      event.preventDefault();
      Promise.race([waits, new Promise((done) => { setTimeout(done, 3000); })]).then(() => {
        following.delete(form);
        form.requestSubmit(event.submitter);
      });
    }
    if (event.defaultPrevented || form.hasAttribute('data-again') || form.method === 'dialog') return;
    form.setAttribute('data-submitting', '');
    setTimeout(release, 8000);
  });
  addEventListener('pageshow', release);

  // Drafts: long texts survive a lost session.
  all('form[data-draft]').forEach((form) => {
    const status = form.querySelector('[data-draft-status]');
    let timer;
    let dirty = false;
    const save = async () => {
      clearTimeout(timer);
      if (!dirty || form.hasAttribute('data-submitting')) return;
      dirty = false;
      const secret = new Set(all('input[type=password]', form).map((field) => field.name));
      const body = urlencoded([...new FormData(form)].filter(([name]) => !secret.has(name)));
      const keepalive = body.toString().length < 60000; // browsers refuse larger bodies on the way out
      const answer = await fetch(`/drafts/${encodeURIComponent(form.dataset.draft)}`, { method: 'POST', body, keepalive }).catch(() => null);
      if (!status) return;
      const time = new Date().toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
      status.textContent = answer && answer.ok ? `Draft saved ${time}` : 'Draft not saved. Your text is still on this page.';
    };
    const soon = () => { if (!dirty) { dirty = true; timer = setTimeout(save, 3000); } };
    form.addEventListener('input', soon);
    form.addEventListener('change', soon);
    addEventListener('pagehide', save);
  });

  // Questions that are asked only after a certain answer. In the order of the page: a hidden one hides those that wait for it.
  all('form[data-conditions]').forEach((form) => {
    const parts = all('[data-only-if]', form);
    const fit = () => {
      const given = new FormData(form);
      parts.forEach((part) => {
        const on = form.querySelector(`[data-question="${part.dataset.onlyIf}"]`);
        part.hidden = (on && on.hidden) || !given.getAll(part.dataset.onlyIf).includes(part.dataset.onlyIfIs);
      });
    };
    form.addEventListener('change', fit);
    fit();
  });

  // On a phone the rows of a table flow as lines: what only its heading explains brings the heading along.
  all('.flows th[data-said]').forEach((head) => {
    all(`tbody td:nth-child(${head.cellIndex + 1})`, head.closest('table')).forEach((cell) => { cell.dataset.label = head.textContent; });
  });

  // Parts of a page that follow a choice, or a long piece of work.
  all('[data-refresh-url]').forEach((box) => {
    const form = box.closest('form') || document.getElementById(box.dataset.refreshForm);
    const names = box.dataset.refreshNames.split(' '); // "categories-*" stands for every name that begins so
    const asks = (name) => names.some((one) => one === name || (one.endsWith('*') && name.startsWith(one.slice(0, -1))));
    const query = () => urlencoded([...new FormData(form)].filter(([name, value]) => value && asks(name))).toString();
    let last = '';
    const refresh = async () => {
      if (query() === last) return;
      const asked = last = query();
      const answer = fragment(`${box.dataset.refreshUrl}?${asked}`).catch(() => '');
      following.set(form, answer);
      const html = await answer;
      if (asked === last) box.innerHTML = html;
      if (following.get(form) === answer) following.delete(form);
    };
    form.addEventListener('change', refresh);
    refresh(); // a draft or a refused form comes with choices
  });
  all('[data-poll]').forEach((box) => {
    const ask = async () => {
      const html = await fragment(box.dataset.url).catch(() => null);
      if (html !== null) box.innerHTML = html;
      if (!box.querySelector('[data-done]')) setTimeout(ask, Number(box.dataset.poll));
    };
    if (!box.querySelector('[data-done]')) setTimeout(ask, Number(box.dataset.poll));
  });

  // Select All ticks every box of its list, and stands ticked only while all of them are.
  on('change', ({ target }) => {
    const list = target.closest('[data-select-all]');
    if (!list) return;
    const whole = list.querySelector('[data-all]');
    const boxes = all('input[type=checkbox]:not([data-all])', list);
    if (target === whole) boxes.forEach((box) => { box.checked = whole.checked; });
    else whole.checked = boxes.every((box) => box.checked);
  });

  // Blanking: Escape twice, or the button. A modal dialog makes the rest of the page inert, and covers other dialogs.
  const title = document.title;
  let screen;
  let lastEscape = -Infinity;
  const blank = () => {
    if (!screen) {
      screen = Object.assign(document.createElement('dialog'), { className: 'blank' });
      screen.innerHTML = '<button type="button" class="btn">Show page</button>';
      screen.setAttribute('aria-label', 'Page hidden');
      screen.firstChild.addEventListener('click', () => screen.close());
      screen.addEventListener('cancel', (event) => event.preventDefault());
      screen.addEventListener('close', () => { document.title = title; });
      document.body.append(screen);
    }
    all(MENUS).forEach((menu) => { menu.open = false; });
    document.title = 'Caseward';
    screen.showModal();
  };
  all('[data-blank]').forEach((button) => { button.hidden = false; button.addEventListener('click', blank); });
  on('keydown', (event) => {
    if (event.key !== 'Escape' || event.repeat) return;
    const hidden = screen && screen.open;
    const twice = event.timeStamp - lastEscape < 600;
    if (hidden || twice) event.preventDefault(); // or this very key would close the screen it opens
    lastEscape = twice ? -Infinity : event.timeStamp;
    if (twice && hidden) screen.close(); else if (twice) blank();
  }, true);

  // Older browsers: dialogs opened and closed by command/commandfor.
  if (!('command' in HTMLButtonElement.prototype)) {
    on('click', (event) => {
      const button = event.target.closest('button[commandfor]');
      const target = button && document.getElementById(button.getAttribute('commandfor'));
      if (!target) return;
      if (button.getAttribute('command') === 'show-modal') target.showModal(); else target.close();
    });
  }

  // The navigation stands open where there is room; menus close when the reader goes elsewhere.
  const MENUS = 'details.account[open], details.add-menu[open]';
  const rail = document.querySelector('details.rail');
  const wide = matchMedia('(min-width: 56rem)');
  const fit = () => { if (rail) rail.open = wide.matches; };
  wide.addEventListener('change', fit);
  fit();
  on('click', (event) => all(MENUS).forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; }));
  on('keydown', (event) => { if (event.key === 'Escape') all(MENUS).forEach((menu) => { menu.open = false; }); });
  const summary = document.querySelector('[data-error-summary]');
  if (summary) summary.focus();
})();
