// Brings pages up to date: hears events, fetches the page again, and replaces the live sections that have changed.
// Pages work without it. Nothing of what comes is run: it is parsed as a document that never executes anything.
(() => {
  'use strict';
  const link = document.getElementById('link');
  const live = () => [...document.querySelectorAll('[data-live]')];
  const tell = (state, text) => {
    if (link.dataset.state !== state) { link.dataset.state = state; link.textContent = text; }
  };
  // Somebody writes in there, or has opened something: it is left alone.
  const inUse = (part) => {
    const at = document.activeElement;
    return part.contains(at) && at.matches('input, textarea, select') && (at.value !== at.defaultValue || at.matches('select'));
  };
  let fetching = false, again = false, last = 0;
  const replace = (page) => {
    for (const part of live()) {
      const fresh = page.getElementById(part.id);
      if (!fresh || inUse(part) || part.innerHTML === fresh.innerHTML) continue;
      const focus = part.contains(document.activeElement) && document.activeElement.id;
      const open = [...part.querySelectorAll('details[open][id]')].map((one) => one.id);
      const ends = [...part.querySelectorAll('pre[data-tail]')].every((pre) => pre.scrollTop + pre.clientHeight >= pre.scrollHeight - 40);
      part.replaceChildren(...[...fresh.childNodes].map((node) => document.importNode(node, true)));
      for (const id of open) { const one = document.getElementById(id); if (one) one.open = true; }
      if (focus) document.getElementById(focus)?.focus();
      if (ends) tails(part);
    }
  };
  const tails = (within) => within.querySelectorAll('pre[data-tail]').forEach((pre) => { pre.scrollTop = pre.scrollHeight; });
  const refresh = async () => {
    if (fetching) { again = true; return; }
    fetching = true;
    try {
      // Not more often than twice a second, however much happens.
      const wait = 500 - (Date.now() - last);
      if (wait > 0) await new Promise((done) => setTimeout(done, wait));
      again = false;
      last = Date.now();
      const answer = await fetch(location.href, { headers: { Accept: 'text/html' }, credentials: 'same-origin' });
      if (answer.ok) replace(new DOMParser().parseFromString(await answer.text(), 'text/html'));
    } catch { /* The stream says when it is there again. */ } finally {
      fetching = false;
      if (again) refresh();
    }
  };
  // Parts that cost more are fetched by themselves, and less often.
  const slow = async (part) => {
    try {
      const answer = await fetch(part.dataset.slow, { credentials: 'same-origin' });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
      part.replaceChildren(...[...page.body.childNodes].map((node) => document.importNode(node, true)));
    } catch { /* Next time. */ }
  };
  const slowly = () => document.querySelectorAll('[data-slow]').forEach(slow);
  let news = true;
  setInterval(() => { if (news && !document.hidden) { news = false; slowly(); } }, 5000);
  slowly();
  tails(document);
  // What grows without an event: the output of an agent at work.
  if (document.querySelector('[data-grows]')) setInterval(() => { if (!document.hidden && document.querySelector('[data-grows]')) refresh(); }, 1500);
  if (!live().length || !('EventSource' in window)) return;
  const stream = new EventSource('/api/v1/events?after=' + document.body.dataset.seq);
  stream.onopen = () => { tell('live', 'live'); refresh(); };
  stream.onerror = () => tell('lost', 'reconnecting');
  stream.onmessage = () => { news = true; refresh(); };
  addEventListener('pagehide', () => stream.close());
})();
