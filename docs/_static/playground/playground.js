// The playground's form. Python is fetched when somebody asks for a formula.
import { connect } from "./python.js";

const part = (name) => document.getElementById(`playground-${name}`);
const tell = (text) => { part("status").textContent = text; };
let python = null;
let asked = 0; // the number of the last question: answers to older ones are not shown
let objects = [];

async function ask() {
  if (python) tell("Computing …");
  python ??= connect(tell);
  asked += 1;
  const question = asked;
  const answer = await python({ formula: part("formula").value, values: part("values").value });
  if (answer.failed) {
    python = null;
    tell(`${answer.failed} The page below works without it.`);
  } else if (question === asked) show(answer);
}

const link = (id, text, type) => {
  const address = URL.createObjectURL(new Blob([text], { type }));
  objects.push(address);
  part(id).href = address;
};

function show({ error, page, svg, text, values }) {
  tell("");
  part("error").hidden = !error;
  part("error").textContent = error ?? "";
  if (error) return;
  objects.forEach((address) => URL.revokeObjectURL(address));
  objects = [];
  part("page").removeAttribute("src");
  part("page").srcdoc = page;
  part("values").value = values;
  link("save", page, "text/html");
  link("svg", svg, "image/svg+xml");
  part("more").hidden = part("text").hidden = false;
  part("text").querySelector("pre").textContent = text;
}

part("form").addEventListener("submit", (event) => { event.preventDefault(); ask(); });
part("examples").addEventListener("click", ({ target }) => {
  if (!target.dataset.formula) return;
  part("formula").value = target.dataset.formula;
  part("values").value = target.dataset.values;
  ask();
});
