// The cells of a notebook's page can be edited and run: Python is fetched at the first run, and keeps what cells define.
import { connect } from "./python.js";

const cells = [...document.querySelectorAll(".cell")].filter((cell) => cell.querySelector(".cell_input pre"));
const codeOf = (cell) => cell.querySelector(".cell_input pre");
const hasRun = new Set();
let python = null;

function element(tag, text, attributes = {}) {
  const made = document.createElement(tag);
  made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function outputOf(cell) {
  let output = cell.querySelector(".cell_output");
  if (!output) cell.append((output = element("div", "", { class: "cell_output docutils container" })));
  return output;
}

// What a cell showed: text, HTML or a picture, or an error.
function shown({ kind, data }) {
  const made = element(kind === "html" ? "div" : "pre", "", { class: `run_${kind}` });
  if (kind === "html") made.innerHTML = data;
  else { made.textContent = data; made.tabIndex = 0; }
  return made;
}

async function run(last) {
  python ??= connect((text) => cells.forEach((cell) => { cell.querySelector(".run_status").textContent = text; }));
  for (const cell of cells.slice(0, cells.indexOf(last) + 1)) {
    if (hasRun.has(cell) && cell !== last) continue;
    const status = cell.querySelector(".run_status");
    status.textContent = "Running …";
    const { outputs, failed } = await python({ code: codeOf(cell).innerText });
    status.textContent = failed ?? "";
    if (failed) { python = null; return; }
    hasRun.add(cell);
    outputOf(cell).replaceChildren(...outputs.map(shown));
    if (outputs.some(({ kind }) => kind === "error")) return; // the cells below build on this one
  }
}

cells.forEach((cell, i) => {
  const code = codeOf(cell);
  code.setAttribute("contenteditable", "plaintext-only");
  code.setAttribute("spellcheck", "false");
  code.setAttribute("role", "textbox");
  code.setAttribute("aria-multiline", "true");
  code.setAttribute("aria-label", `Code of cell ${i + 1}`);
  code.addEventListener("input", () => hasRun.delete(cell));
  const bar = element("p", "", { class: "run_bar" });
  const button = element("button", "Run", { type: "button", "aria-label": `Run cell ${i + 1}` });
  button.addEventListener("click", () => run(cell));
  code.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.shiftKey) { event.preventDefault(); run(cell); }
  });
  bar.append(button, element("span", "", { class: "run_status", role: "status" }));
  cell.querySelector(".cell_input").after(bar);
});
if (cells.length) {
  const hint = "The cells run in this page: edit one, and press Run or Shift-Enter. The first run fetches Python, about 5 MB.";
  cells[0].before(element("p", hint, { class: "run_hint" }));
}
