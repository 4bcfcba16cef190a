"use strict";
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  if (table.tBodies[0].rows.length < 2) continue;
  heads.forEach((head, column) => {
    if (head.classList.contains("draw")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const counts = head.classList.contains("n");
      const now = head.getAttribute("aria-sort");
      const down = now ? now === "ascending" : counts;
      const value = (row) => {
        const cell = row.cells[column];
        const text = cell.dataset.value ?? cell.textContent;
        return counts ? Number(text) : text.trim();
      };
      const order = (a, b) => (counts ? value(a) - value(b) : value(a).localeCompare(value(b), "en", { numeric: true }));
      const body = table.tBodies[0];
      body.append(...[...body.rows].sort((a, b) => (down ? order(b, a) : order(a, b))));
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
    });
  });
}
// The search box and the chips hide rows and sections; chips of one kind add up, those of several kinds narrow.
const filter = document.getElementById("filter");
if (filter) {
  const query = document.getElementById("query");
  const shown = document.getElementById("shown");
  const chips = [...filter.querySelectorAll("button")];
  const items = [...document.querySelectorAll(".item")].map((node) => ({ node, text: node.textContent.toLowerCase() }));
  const holders = [...document.querySelectorAll("main section:not(.item)")].filter((section) => section.querySelector(".item"));
  const apply = () => {
    const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = new Map();
    for (const { dataset } of chips.filter((chip) => chip.getAttribute("aria-pressed") === "true")) {
      wanted.set(dataset.key, [...(wanted.get(dataset.key) ?? []), dataset.value]);
    }
    const fits = ({ node, text }) =>
      words.every((word) => text.includes(word)) &&
      [...wanted].every(([key, values]) => values.some((value) => (node.dataset[key] ?? "").split(" ").includes(value)));
    let rows = 0;
    let all = 0;
    for (const item of items) {
      item.node.hidden = !fits(item);
      if (item.node.closest("table.faults")) {
        all += 1;
        rows += item.node.hidden ? 0 : 1;
      }
    }
    const active = words.length + wanted.size > 0;
    for (const holder of holders) holder.hidden = active && !holder.querySelector(".item:not([hidden])");
    // The sums of what is not listed are not about the rows that are left.
    document.body.classList.toggle("filtered", active);
    shown.textContent = active ? `${rows} / ${all}` : "";
  };
  query.addEventListener("input", apply);
  for (const chip of chips) {
    chip.addEventListener("click", () => {
      chip.setAttribute("aria-pressed", String(chip.getAttribute("aria-pressed") !== "true"));
      apply();
    });
  }
  filter.hidden = false;
}
