"use strict";
// The page reads well without this script; it adds sorting, filters, the opacity slider, the theme switch and keys.
(() => {
  const $ = id => document.getElementById(id);
  const root = document.documentElement;
  const body = document.querySelector(".pairs tbody");
  const rows = Array.from(body.rows).map(tr => ({
    tr, card: $(tr.dataset.card), text: tr.textContent.toLowerCase(), score: tr.cells[3].textContent === "" ? NaN : Number(tr.cells[3].textContent),
  }));
  for (const r of rows) r.text += " " + r.card.querySelector("h2").textContent.toLowerCase();
  let shown = rows.slice();
  root.classList.add("scripted");

  // Opacity and theme
  $("opacity").addEventListener("input", event => root.style.setProperty("--opacity", event.target.value / 100));
  const dark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const nameTheme = () => { $("theme").textContent = dark() ? "Light" : "Dark"; };
  $("theme").addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; nameTheme(); });
  nameTheme();

  // Filters
  const form = document.querySelector(".filters");
  function filter() {
    const words = $("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const want = { decision: $("decision").value, label: $("label").value, right: $("outcome").value };
    const from = $("from").value === "" ? -Infinity : Number($("from").value);
    const to = $("to").value === "" ? Infinity : Number($("to").value);
    const bounded = from > -Infinity || to < Infinity;
    shown = [];
    for (const r of rows) {
      const ok = words.every(w => r.text.includes(w)) && Object.entries(want).every(([key, value]) => value === "" || r.tr.dataset[key] === value) &&
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
  function sort(column) {
    const head = heads[column], down = head.getAttribute("aria-sort") === "ascending";
    for (const h of heads) h.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const key = r => r.tr.cells[column].textContent;
    const numeric = head.classList.contains("n");
    const compare = (a, b) => {
      const x = key(a), y = key(b);
      if (x === "" || y === "") return (x === "") - (y === "");  // what is missing comes last, either way
      const d = numeric ? Number(x) - Number(y) : x.localeCompare(y, undefined, { numeric: true });
      return down ? -d : d;
    };
    rows.sort(compare);
    body.append(...rows.map(r => r.tr));
    $("cards").append(...rows.map(r => r.card));
    shown = rows.filter(r => !r.tr.hidden);
  }
  heads.forEach((h, i) => h.firstElementChild.addEventListener("click", () => sort(i)));

  // Keys
  function go(step) {
    const at = shown.findIndex(r => r.card === document.activeElement || r.card.contains(document.activeElement));
    const next = at < 0 ? (step > 0 ? 0 : shown.length - 1) : at + step;
    if (next < 0 || next >= shown.length) return;
    const card = shown[next].card;
    card.focus({ preventScroll: true });
    card.scrollIntoView({ block: "start" });
  }
  function turn(name) {
    const all = Array.from(document.querySelectorAll(`input[name="${name}"]`));
    if (all.length) all[(all.findIndex(i => i.checked) + 1) % all.length].checked = true;
  }
  function leave() {
    if (document.activeElement === $("search") || form.contains(document.activeElement)) { form.reset(); filter(); }
    document.activeElement.blur();
    $("summary").scrollIntoView({ block: "start" });
  }
  const keys = { j: () => go(1), ArrowRight: () => go(1), k: () => go(-1), ArrowLeft: () => go(-1), s: () => turn("sign"), m: () => turn("method"),
    "/": () => $("search").focus() };
  document.addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") return leave();
    const typing = "select, input:not([type=radio], [type=checkbox], [type=range])";
    if (event.target.matches(typing) || (event.key.startsWith("Arrow") && event.target.closest("input, .scroll"))) return;
    const act = Object.hasOwn(keys, event.key) ? keys[event.key] : null;
    if (act) { event.preventDefault(); act(); }
  });
  document.querySelector(".pairs").addEventListener("click", event => {
    const link = event.target.closest("a[href^='#p']");
    if (!link) return;
    event.preventDefault();
    const card = $(link.hash.slice(1));
    card.focus({ preventScroll: true });
    card.scrollIntoView({ block: "start" });
  });
})();
