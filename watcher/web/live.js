// Follows a page: each event brings a part of it by its id, written by the server. Without this the page is whole, too.
"use strict";
(() => {
  const state = document.getElementById("live");
  const { live, seen } = document.currentScript.dataset;
  let last = seen;
  let waiting = new Map();
  let isHeld = false;

  const say = (word) => {
    if (state && state.textContent !== word) {
      state.textContent = word;
      state.className = word === "live" ? "on" : "off";
    }
  };

  // What somebody is typing into, or has chosen in, is left alone until he leaves it.
  const isBusy = (part) => {
    const active = document.activeElement;
    return active && part.contains(active) && active.matches("input, select, textarea");
  };

  // What somebody has typed or chosen and not sent yet goes along when its form is written anew.
  const isChanged = (field) => field.options
    ? [...field.options].some((one) => one.selected !== one.defaultSelected)
    : field.value !== field.defaultValue;
  const fieldsOf = (part) => [...part.querySelectorAll("input[name]:not([type=hidden]), select[name], textarea[name]")];
  const keyOf = (field) => `${field.form?.getAttribute("action")} ${field.name}`;

  const put = (id, html) => {
    const part = document.getElementById(id);
    if (!part) return;
    if (isHeld || isBusy(part)) {
      waiting.set(id, html);
      return;
    }
    const open = new Set([...part.querySelectorAll("details[open]")].map((one) => one.id));
    const focus = part.contains(document.activeElement) ? document.activeElement : null;
    const again = focus && (focus.id ? `#${CSS.escape(focus.id)}` : focus.href ? `a[href="${CSS.escape(focus.getAttribute("href"))}"]` : null);
    const template = document.createElement("template");
    template.innerHTML = html;
    const fresh = template.content.firstElementChild;
    if (!fresh) return;
    fresh.querySelectorAll("details").forEach((one) => { one.open = open.has(one.id); });
    const given = new Map(fieldsOf(part).filter(isChanged).map((one) => [keyOf(one), one.value]));
    fieldsOf(fresh).filter((one) => given.has(keyOf(one))).forEach((one) => { one.value = given.get(keyOf(one)); });
    part.replaceWith(fresh);
    if (again) fresh.querySelector(again)?.focus();
  };

  const catchUp = () => {
    const due = waiting;
    waiting = new Map();
    due.forEach((html, id) => put(id, html));
  };
  document.addEventListener("focusout", () => setTimeout(catchUp, 200));

  // A part that is replaced between the press of a button and its release would swallow the click.
  addEventListener("pointerdown", () => { isHeld = true; });
  const release = () => setTimeout(() => { isHeld = false; catchUp(); }, 100);
  addEventListener("pointerup", release);
  addEventListener("pointercancel", release);

  const follow = () => {
    const address = new URL(live, document.baseURI);
    address.searchParams.set("seen", last);
    const source = new EventSource(address);
    source.onopen = () => say("live");
    source.addEventListener("part", (event) => {
      const part = JSON.parse(event.data);
      put(part.id, part.html);
    });
    source.onmessage = (event) => { last = event.lastEventId || last; };
    source.onerror = () => {
      say("not connected");
      if (source.readyState === EventSource.CLOSED) setTimeout(follow, 10000);
    };
    addEventListener("pagehide", () => source.close(), { once: true });
  };
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  follow();
})();
