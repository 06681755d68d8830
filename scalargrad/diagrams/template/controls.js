// ---- the table, the list of all steps, and the inputs that move ----
function element(tag, text, attributes = {}) {
  const made = document.createElement(tag);
  made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

const rows = nodes.map(({ name, formula, parameter }, place) => {
  const row = element("tr", "");
  const head = element("th", "", { scope: "row" });
  const button = element("button", name, { type: "button" });
  button.addEventListener("click", () => showAbout(place));
  head.append(button);
  row.append(head, element("td", formula || (parameter ? "parameter" : "input")));
  row.append(element("td", "", { class: "number value" }), element("td", "", { class: "number derivative" }));
  byId("rows").append(row);
  return row;
});

function showTable(known, { atoms }, numbers, asked) {
  const targets = new Set(atoms.map(({ node }) => node));
  const sources = new Set(atoms.filter(({ edge }) => edge).map(({ kind, edge }) => (kind === "change" ? edge.from : edge.to)));
  rows.forEach((row, place) => {
    const third = known.thirds.get(place);
    row.cells[2].textContent = known.values.has(place) ? digits(numbers.values[place]) : "";
    row.cells[3].textContent = third === undefined ? "" : digits(third);
    if (asked?.node === place) row.cells[asked.kind === "value" ? 2 : 3].textContent = "?";
    row.classList.toggle("target", targets.has(place));
    row.classList.toggle("source", sources.has(place));
  });
}

function listSteps(texts, chosen) {
  byId("steps").replaceChildren(...texts.map((text, i) => {
    const item = element("li", "");
    const button = element("button", text, { type: "button" });
    button.addEventListener("click", () => chosen(i));
    item.append(button);
    return item;
  }));
}

// A field and a slider for each input. `changed` is told the new numbers.
const MOST_MOVERS = 12;
const reach = (x) => (Number.isFinite(x) ? Math.max(2, 10 ** Math.ceil(Math.log10(Math.abs(x) || 1)), 2 * Math.abs(x)) : 10);
const movers = [];

function makeMovers(changed) {
  const shown = data.inputs.filter((place) => !nodes[place].parameter).slice(0, MOST_MOVERS);
  for (const place of shown) {
    const i = data.inputs.indexOf(place), { name } = nodes[place];
    const row = element("div", "", { class: "mover" });
    const field = element("input", "", { type: "text", inputmode: "decimal", id: `field${i}`, "aria-label": `${name}, as a number`, spellcheck: "false" });
    const range = reach(start[i]);
    const slider = element("input", "", { type: "range", min: -range, max: range, step: range / 100, "aria-label": name });
    field.addEventListener("change", () => changed(i, field.value.trim() === "" ? NaN : parsed(field.value)));
    slider.addEventListener("input", () => changed(i, Number(slider.value)));
    row.append(element("label", name, { for: `field${i}` }), field, slider);
    byId("inputs").append(row);
    movers.push({ i, field, slider, range });
  }
  const rest = data.inputs.filter((place) => !nodes[place].parameter).length - shown.length;
  if (rest > 0) byId("inputs").append(element("p", `and ${rest} more, which stay as they are`));
}

function showMovers(inputs) {
  for (const { i, field, slider } of movers) {
    const x = inputs[i];
    if (document.activeElement !== field || parsed(field.value) !== x) field.value = String(x).replace("-", "−");
    if (document.activeElement !== slider) slider.value = x;
    slider.setAttribute("aria-valuetext", digits(x));
  }
  byId("reset").hidden = inputs.every((x, i) => Object.is(x, start[i]));
}

// The nodes that have no number though those that they are computed from have.
function troubleIn({ values }) {
  const finite = ({ from }) => Number.isFinite(values[from]);
  const sources = nodes.map((_, place) => place).filter((place) => made[place].length && !Number.isFinite(values[place]) && made[place].every(finite));
  return sources.slice(0, 3).map((place) => {
    const at = few(made[place].map(({ from }) => `${called(from)} = ${digits(values[from])}`));
    return `${called(place)} = ${nodes[place].formula} ${Number.isNaN(values[place]) ? "is not defined" : "is infinite"} at ${at}.`;
  }).join(" ") + (sources.length > 3 ? ` And ${sources.length - 3} more.` : "");
}
