"use strict";
// The page reads well without this script; it adds sorting, filters, export, printing, the opacity slider, the theme switch
// and keys.
(() => {
  const $ = id => document.getElementById(id);
  const root = document.documentElement;
  const body = document.querySelector(".pairs tbody");
  const rows = Array.from(body.rows).map(tr => ({
    tr,
    card: $(tr.dataset.card),
    score: Number(tr.cells[3].dataset.v ?? NaN),
  }));
  for (const r of rows) {
    r.id = r.card.querySelector("h2 .id").textContent;
    r.text = `${r.tr.textContent} ${r.id}`.toLowerCase();
  }
  let shown = rows.slice();
  root.classList.add("scripted");

  // A card's content is the text of a noscript element until the card comes near: thousands of them load in a moment.
  function open(card) {
    const text = card.querySelector("noscript");
    if (!text) return;
    text.insertAdjacentHTML("beforebegin", text.textContent);
    text.remove();
  }
  const near = new IntersectionObserver(
    entries => {
      for (const e of entries)
        if (e.isIntersecting) {
          open(e.target);
          near.unobserve(e.target);
        }
    },
    { rootMargin: "1500px" },
  );
  for (const r of rows) near.observe(r.card);
  // The browser's own search finds what is opened: some hundred cards are, one by one, while nothing else happens.
  const waiting = rows.length <= 300 ? rows.map(r => r.card) : [];
  (function next() {
    const card = waiting.shift();
    if (card)
      (window.requestIdleCallback || setTimeout)(() => {
        open(card);
        next();
      });
  })();

  // Opacity and theme
  $("opacity").addEventListener("input", event => root.style.setProperty("--opacity", event.target.value / 100));
  const dark = () =>
    root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const nameTheme = () => {
    $("theme").textContent = dark() ? "Light" : "Dark";
  };
  $("theme").addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    nameTheme();
  });
  nameTheme();

  const bar = document.querySelector(".toolbar");
  new ResizeObserver(() => root.style.setProperty("--bar", `${bar.offsetHeight}px`)).observe(bar);

  // Filters
  const form = document.querySelector(".filters");
  function filter() {
    const words = $("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const want = {
      decision: $("decision").value,
      label: $("label").value,
      right: $("outcome").value,
      group: $("group")?.value ?? "",
    };
    const from = $("from").value === "" ? -Infinity : Number($("from").value);
    const to = $("to").value === "" ? Infinity : Number($("to").value);
    const bounded = from > -Infinity || to < Infinity;
    shown = [];
    for (const r of rows) {
      const ok =
        words.every(w => r.text.includes(w)) &&
        Object.entries(want).every(([key, value]) => value === "" || r.tr.dataset[key] === value) &&
        (!bounded || (r.score >= from && r.score <= to));
      r.tr.hidden = r.card.hidden = !ok;
      if (ok) shown.push(r);
    }
    $("count").textContent = `${shown.length} of ${rows.length} pairs`;
  }
  form.addEventListener("input", filter);
  form.addEventListener("submit", event => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter));

  // Sorting: the cards follow the table
  const heads = Array.from(document.querySelectorAll(".pairs th"));
  const value = cell => cell.dataset.v ?? cell.textContent;
  function sort(column) {
    const head = heads[column],
      down = head.getAttribute("aria-sort") === "ascending";
    for (const h of heads) h.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const key = r => value(r.tr.cells[column]);
    const numeric = head.classList.contains("n");
    const compare = (a, b) => {
      const x = key(a),
        y = key(b);
      if (x === "" || y === "") return (x === "") - (y === ""); // what is missing comes last, either way
      const d = numeric ? Number(x) - Number(y) : x.localeCompare(y, undefined, { numeric: true });
      return down ? -d : d;
    };
    rows.sort(compare);
    body.append(...rows.map(r => r.tr));
    $("cards").append(...rows.map(r => r.card));
    shown = rows.filter(r => !r.tr.hidden);
  }
  heads.forEach((h, i) => h.firstElementChild.addEventListener("click", () => sort(i)));

  // Export, as RFC 4180 has it. A spreadsheet would run a text that begins like a formula: it gets an apostrophe.
  function csv() {
    const field = (cell, number) => {
      const text = number || !/^[=+\-@\t\r]/.test(cell) ? cell : `'${cell}`;
      return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    };
    const names = heads.map(h => h.textContent.toLowerCase().replaceAll(" ", "_"));
    const lines = [["number", "pair", ...names.slice(1)].join(",")];
    for (const r of shown) {
      const cells = Array.from(r.tr.cells, (c, i) => field(value(c), heads[i].classList.contains("n")));
      lines.push([cells[0], field(r.id, false), ...cells.slice(1)].join(","));
    }
    return lines.join("\r\n") + "\r\n";
  }
  $("csv").addEventListener("click", () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([csv()], { type: "text/csv;charset=utf-8" }));
    link.download = "pairs.csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  });

  // Printing: what is chosen in a card or in the table is printed alone
  const boxes = r => [r.tr.querySelector(".pick"), r.card.querySelector(".pick")];
  function choose(r, on) {
    for (const box of boxes(r)) box.checked = on;
    if (on) open(r.card);
  }
  function countChosen() {
    const n = rows.filter(r => boxes(r)[1].checked).length;
    $("print").textContent = n ? `Print the ${n} chosen` : "Print";
    $("pick").textContent = n ? "Choose none" : "Choose these for printing";
  }
  document.addEventListener("change", event => {
    if (!event.target.matches(".pick")) return;
    const r = rows.find(x => boxes(x).includes(event.target));
    if (r) choose(r, event.target.checked);
    countChosen();
  });
  $("pick").addEventListener("click", () => {
    const none = rows.every(r => !boxes(r)[1].checked);
    for (const r of none ? shown : rows) choose(r, none);
    countChosen();
  });
  const printed = () => {
    const chosen = rows.filter(r => boxes(r)[1].checked);
    for (const r of chosen.length ? chosen : shown) open(r.card);
  };
  addEventListener("beforeprint", printed);
  $("print").addEventListener("click", async () => {
    printed();
    await Promise.all(Array.from(document.images, i => i.decode().catch(() => null)));
    print();
  });
  countChosen();

  // Going to a pair, and its address
  function show(card) {
    open(card);
    card.focus({ preventScroll: true });
    card.scrollIntoView({ block: "start" });
  }
  function follow() {
    if (!location.hash.startsWith("#pair=")) return;
    const card = $(location.hash.slice(1))?.closest(".card");
    if (!card) return;
    if (card.hidden) {
      form.reset();
      filter();
    }
    show(card);
  }
  addEventListener("hashchange", follow);
  document.addEventListener("click", event => {
    // also where the address is this one already
    const link = event.target.closest("a[href^='#pair=']");
    if (link && link.hash === location.hash) follow();
  });
  addEventListener("load", () => setTimeout(follow)); // after the browser has gone to the link itself

  // Keys
  function go(step) {
    const at = shown.findIndex(r => r.card === document.activeElement || r.card.contains(document.activeElement));
    const next = at < 0 ? (step > 0 ? 0 : shown.length - 1) : at + step;
    if (next >= 0 && next < shown.length) show(shown[next].card);
  }
  function turn(name) {
    const all = Array.from(document.querySelectorAll(`input[name="${name}"]`));
    if (all.length) all[(all.findIndex(i => i.checked) + 1) % all.length].checked = true;
  }
  function leave() {
    if (document.activeElement === $("search") || form.contains(document.activeElement)) {
      form.reset();
      filter();
    }
    document.activeElement.blur();
    $("summary").scrollIntoView({ block: "start" });
  }
  const keys = {
    j: () => go(1),
    ArrowRight: () => go(1),
    k: () => go(-1),
    ArrowLeft: () => go(-1),
    s: () => turn("sign"),
    m: () => turn("method"),
    "/": () => $("search").focus(),
  };
  document.addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") return leave();
    const typing = "select, input:not([type=radio], [type=checkbox], [type=range])";
    if (event.target.matches(typing) || (event.key.startsWith("Arrow") && event.target.closest("input, .scroll")))
      return;
    const act = Object.hasOwn(keys, event.key) ? keys[event.key] : null;
    if (act) {
      event.preventDefault();
      act();
    }
  });
})();
