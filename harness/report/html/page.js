"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  const { report, tests } = JSON.parse(document.getElementById("report").textContent);
  const search = document.getElementById("search");
  const shown = document.getElementById("shown");
  const buttons = [...document.querySelectorAll("[data-filter]")];
  const findings = [...document.querySelectorAll(".finding")].map((element) => {
    const number = Number(element.dataset.number);
    return { element, text: JSON.stringify([Object.values(report.findings[number]), tests[number]]).toLowerCase() };
  });
  const requests = [...document.querySelectorAll(".request")].map((element) => ({
    element,
    text: element.textContent.toLowerCase(),
  }));

  const hideEmpty = (selector, inner) => {
    for (const part of document.querySelectorAll(selector)) {
      part.hidden = part.querySelector(inner) !== null && part.querySelector(`${inner}:not([hidden])`) === null;
    }
  };

  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const matches = (text) => words.every((word) => text.includes(word));
    const severities = new Set(
      buttons.filter((button) => button.getAttribute("aria-pressed") === "true").map((button) => button.dataset.filter),
    );
    let count = 0;
    for (const { element, text } of findings) {
      element.hidden = !(severities.has(element.dataset.severity) && matches(text));
      count += element.hidden ? 0 : 1;
    }
    for (const { element, text } of requests) element.hidden = !matches(text);
    hideEmpty(".rule", ".finding");
    hideEmpty("#met, #read", ".rule");
    hideEmpty("#timelines", ".request");
    for (const link of document.querySelectorAll("nav .rules a")) {
      const target = document.getElementById(link.hash.slice(1));
      link.parentElement.hidden = target !== null && target.hidden;
    }
    shown.textContent = count === findings.length ? "" : `${count} of ${findings.length} findings`;
  };

  for (const button of buttons) {
    button.addEventListener("click", () => {
      button.setAttribute("aria-pressed", button.getAttribute("aria-pressed") === "true" ? "false" : "true");
      filter();
    });
  }
  if (search) {
    search.addEventListener("input", filter);
    document.addEventListener("keydown", (event) => {
      if (event.key === "/" && !/^(INPUT|TEXTAREA)$/.test(event.target.tagName)) {
        event.preventDefault();
        search.focus();
      } else if (event.key === "Escape" && event.target === search) {
        search.value = "";
        filter();
      }
    });
  }

  // A bar of a drawing and its line in the list below belong together.
  const rowOf = (bar) => {
    const number = bar.dataset.statement;
    const rows = [...bar.closest(".request").querySelectorAll("[data-statements]")];
    return rows.find((row) => row.dataset.statements.split(" ").includes(number));
  };
  document.addEventListener("click", (event) => {
    const bar = event.target.closest("[data-statement]");
    const row = bar && rowOf(bar);
    if (!row) return;
    row.closest("details").open = true;
    for (const marked of document.querySelectorAll(".marked")) marked.classList.remove("marked");
    row.classList.add("marked");
    bar.classList.add("marked");
    row.scrollIntoView({ block: "nearest" });
  });

  // Paper has nothing to click on.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const details of opened) details.open = true;
  });
  addEventListener("afterprint", () => {
    for (const details of opened) details.open = false;
  });
})();
