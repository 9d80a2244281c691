"use strict";
// Sorts and searches the tables of a report. Without it they are plain tables.
(() => {
  const lang = document.documentElement.lang;
  const tables = [...document.querySelectorAll("table.sortable")];

  const of = (row, i) => row.cells[i].dataset.v ?? row.cells[i].textContent.trim();
  const compare = (a, b, numeric) =>
    numeric ? Number(a) - Number(b) : a.localeCompare(b, lang, { numeric: true, sensitivity: "base" });

  for (const table of tables) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, i) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      const numeric = head.classList.contains("number");
      button.addEventListener("click", () => {
        const was = head.getAttribute("aria-sort");
        const now = was ? (was === "ascending" ? "descending" : "ascending") : numeric ? "descending" : "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", now);
        const sign = now === "ascending" ? 1 : -1;
        const body = table.tBodies[0];
        // What has no value stays at the end, whichever way.
        const rows = [...body.rows].sort((a, b) => {
          const x = of(a, i), y = of(b, i);
          return x === "" || y === "" ? (x === "") - (y === "") : sign * compare(x, y, numeric);
        });
        body.append(...rows);
      });
    });
  }

  const search = document.getElementById("search");
  const found = document.getElementById("found");
  const rows = tables.flatMap((table) => [...table.tBodies[0].rows]).map((row) => [row, row.textContent.toLowerCase()]);
  search.addEventListener("input", () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const [row, text] of rows) {
      row.hidden = !words.every((word) => text.includes(word));
      count += !row.hidden;
    }
    for (const table of tables) {
      const part = table.closest(".part");
      part.hidden = words.length > 0 && [...table.tBodies[0].rows].every((row) => row.hidden);
    }
    found.textContent = words.length ? search.dataset.found.replace("{}", count) : "";
  });
  document.querySelector(".tools").hidden = false;
})();
