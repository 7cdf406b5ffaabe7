/* What the page does besides asking: quotes on hover, the source view, copying, feedback, and being read aloud. */
(() => {
  "use strict";

  const WIDE = window.matchMedia("(min-width: 1180px)");
  const CALM = window.matchMedia("(prefers-reduced-motion: reduce)");
  const byId = (id) => document.getElementById(id);

  const make = (name, attributes = {}, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  };

  const show = (element, block = "start") =>
    element.scrollIntoView({ block, behavior: CALM.matches ? "auto" : "smooth" });

  /* Read aloud: one live region of our own, filled with what #nkqa-said holds. */
  const live = make("div", { role: "status", "aria-live": "polite", class: "sr", id: "nkqa-live" });
  const say = (text) => {
    live.textContent = "";
    window.setTimeout(() => (live.textContent = text), 30);
  };

  /* The question box. */
  const box = () => document.querySelector("#nkqa-box textarea");

  const put = (text) => {
    const field = box();
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    return field;
  };

  const ask = (question) => {
    const tab = document.querySelector('#nkqa-tabs button[role="tab"]');
    if (tab && tab.getAttribute("aria-selected") !== "true") tab.click();
    put(question).focus({ preventScroll: true });
    window.setTimeout(() => byId("nkqa-send").click(), 60);
  };

  /* The quote of a citation, or the words of a point in a drawing, on hover and focus. */
  let tip = null;
  let tipFor = null;
  let hiding = 0;

  const hideTip = () => {
    tip?.remove();
    tip = tipFor = null;
  };

  const hideSoon = () => {
    window.clearTimeout(hiding);
    hiding = window.setTimeout(hideTip, 180);
  };

  const tipContent = (anchor) => {
    const card = anchor.dataset.card && byId(anchor.dataset.card);
    if (card) return [".body blockquote", ".body .title", ".body .place", ".body .voice"].map((part) => {
      const copy = card.querySelector(part).cloneNode(true);
      copy.removeAttribute("id");
      return copy;
    });
    return anchor.dataset.tip ? [make("p", { class: "said", dir: "auto" }, anchor.dataset.tip)] : [];
  };

  const place = (element, anchor) => {
    const at = anchor.getBoundingClientRect();
    const size = element.getBoundingClientRect();
    const left = Math.max(12, Math.min(at.left - 12, window.innerWidth - size.width - 12));
    const above = at.top - size.height - 8;
    element.style.left = `${left}px`;
    element.style.top = `${above > 8 ? above : at.bottom + 8}px`;
  };

  const showTip = (anchor) => {
    window.clearTimeout(hiding);
    if (tipFor === anchor) return;
    hideTip();
    const content = tipContent(anchor);
    if (!content.length) return;
    tip = make("div", { class: "tip", "aria-hidden": "true" }, ...content);
    tip.addEventListener("pointerenter", () => window.clearTimeout(hiding));
    tip.addEventListener("pointerleave", hideSoon);
    document.querySelector(".gradio-container").append(tip);
    tipFor = anchor;
    place(tip, anchor);
  };

  const anchorOf = (target) => target instanceof Element && target.closest("a.cite, [data-tip]");

  document.addEventListener("pointerover", (event) => {
    const anchor = anchorOf(event.target);
    if (anchor && event.pointerType !== "touch") showTip(anchor);
    else if (tip && !tip.contains(event.target)) hideSoon();
  });
  document.addEventListener("focusin", (event) => {
    const anchor = anchorOf(event.target);
    if (anchor && anchor.matches(":focus-visible")) showTip(anchor);
    else if (tip && !tip.contains(event.target)) hideTip();
  });
  const follow = () => {
    if (!tip) return;
    const at = tipFor.getBoundingClientRect();
    if (!tipFor.isConnected || at.bottom < 0 || at.top > window.innerHeight) hideTip();
    else place(tip, tipFor);
  };
  window.addEventListener("scroll", follow, { passive: true });
  window.addEventListener("resize", follow, { passive: true });

  /* The source view: beside the chat where there is room, over it where there is not. */
  let panel = null;
  let openedFrom = null;

  const closePanel = () => {
    if (!panel?.open) return;
    panel.close();
    document.body.classList.remove("with-panel");
    openedFrom?.removeAttribute("aria-expanded");
    if (openedFrom?.isConnected) openedFrom.focus({ preventScroll: true });
    openedFrom = null;
  };

  const panelElement = () => {
    if (panel) return panel;
    panel = make("dialog", { id: "nkqa-panel", "aria-label": "Source", tabindex: "-1" });
    panel.addEventListener("cancel", (event) => {
      event.preventDefault();
      closePanel();
    });
    document.querySelector(".gradio-container").append(panel);
    return panel;
  };

  const fill = (html, href) => {
    const read = new DOMParser().parseFromString(html, "text/html").querySelector("main");
    const close = make("button", { type: "button" }, "Close");
    close.addEventListener("click", closePanel);
    const alone = make("a", { href, target: "_blank", rel: "noopener" }, "Open as a page");
    const at = read.querySelector(".at b");
    const where = make("p", {}, ...(at ? [at.cloneNode(true), " · "] : []), alone);
    panelElement().replaceChildren(make("div", { class: "bar" }, where, close), ...read.childNodes);
  };

  const openPanel = async (link) => {
    hideTip();
    const href = link.getAttribute("href");
    const reply = await fetch(href.split("#")[0], { credentials: "same-origin" });
    openedFrom?.removeAttribute("aria-expanded");
    fill(await reply.text(), href);
    openedFrom = link;
    link.setAttribute("aria-expanded", "true");
    if (!panel.open) WIDE.matches ? panel.show() : panel.showModal();
    document.body.classList.toggle("with-panel", WIDE.matches);
    const here = panel.querySelector("#here");
    (here ?? panel).focus({ preventScroll: true });
    if (here) here.scrollIntoView({ block: "center" });
    else panel.scrollTop = 0;
  };

  /* Copying, printing, links, feedback. */
  const copy = async (text, button) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = make("textarea", { class: "sr", "aria-hidden": "true" });
      area.value = text;
      button.after(area);
      area.select();
      document.execCommand("copy");
      area.remove();
      button.focus();
    }
    const before = button.textContent;
    button.textContent = "Copied";
    say("Copied");
    window.setTimeout(() => (button.textContent = before), 1600);
  };

  const actions = {
    copy: (button) =>
      copy(button.parentElement.querySelector(`pre[data-export="${button.dataset.format}"]`).textContent, button),
    link: (link) => copy(new URL(link.getAttribute("href"), document.baseURI).href, link),
    print: () => window.print(),
  };

  const sendFeedback = async (form) => {
    const given = new FormData(form);
    const verdict = [...given.entries()].find(([name]) => name.endsWith("-verdict"))?.[1];
    const body = { answer: form.dataset.answer, question: form.dataset.question, verdict, comment: given.get("comment") };
    let words = "Thank you. It is kept.";
    try {
      const reply = await fetch("page/feedback", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      if (!reply.ok) words = (await reply.json()).detail ?? "It could not be kept.";
    } catch {
      words = "The server does not answer. Try again.";
    }
    const note = make("p", { class: "note", tabindex: "-1" }, words);
    form.replaceWith(note);
    note.focus();
    say(words);
  };

  document.addEventListener("submit", (event) => {
    if (!(event.target instanceof HTMLFormElement)) return;
    event.preventDefault();
    if (event.target.dataset.do === "feedback") sendFeedback(event.target);
  });

  const plainClick = (event) => event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);

  document.addEventListener("click", (event) => {
    const found = event.target instanceof Element && event.target.closest("a, button[data-do]");
    if (!found || !plainClick(event)) return;
    const href = found.getAttribute("href") ?? "";
    const act = actions[found.dataset.do];
    const target = href.startsWith("#") && byId(href.slice(1));
    if (act) act(found);
    else if (found.matches("a.ask")) ask(new URL(href, document.baseURI).searchParams.get("q"));
    else if (href.startsWith("page/source")) openPanel(found);
    else if (target) {
      show(target);
      target.focus({ preventScroll: true });
    } else return;
    event.preventDefault();
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    if (tip) hideTip();
    else closePanel();
  });

  /* What changes on the page: a new turn is brought into view, and its outcome read aloud. */
  let shownTurn = "";

  const wellPlaced = (turn) => {
    const top = turn.getBoundingClientRect().top;
    return top >= 0 && top < window.innerHeight * 0.3;
  };

  const watch = () => {
    const said = byId("nkqa-said");
    const current = byId("nkqa-current");
    if (!said || !current) return;
    const text = said.textContent.trim();
    if (text && text !== watch.text) say(text);
    watch.text = text;
    const turn = current.querySelector("article");
    const key = turn?.id ?? "";
    const state = turn ? `${key} ${turn.classList.contains("pending")}` : "";
    if (turn && state !== shownTurn && key !== "now" && !wellPlaced(turn)) show(turn);
    if (key !== "now") shownTurn = state;
  };

  /* Names that Gradio leaves out. */
  const mend = () => {
    const field = box();
    if (field && !field.getAttribute("aria-label")) field.setAttribute("aria-label", "Your question");
  };

  /* The box takes the focus when the page opens; that must not scroll the first screen away. */
  const settle = () => {
    if (!byId("nkqa-current")?.querySelector("article")) window.scrollTo(0, 0);
  };

  const start = () => {
    document.body.append(live);
    document.addEventListener("focusin", (event) => event.target === box() && window.setTimeout(settle, 0), { once: true });
    new MutationObserver(() => {
      watch();
      mend();
    }).observe(document.body, { childList: true, subtree: true, characterData: true });
    mend();
  };

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
