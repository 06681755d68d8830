// The playground's form. Python is fetched when somebody asks for a formula, and works in a worker of its own.
const part = (name) => document.getElementById(`playground-${name}`);
const status = (text) => { part("status").textContent = text; };
let worker = null;
let asked = 0; // the number of the last question: answers to older ones are not shown
let objects = [];

function start() {
  status("Fetching Python, about 5 MB, once …");
  worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
  worker.addEventListener("message", ({ data }) => (data.stage ? status(data.stage) : show(data)));
  worker.addEventListener("error", () => fail("Python could not be started here. The page below works without it."));
}

function fail(text) {
  worker?.terminate();
  worker = null;
  status(text);
}

function ask() {
  if (!worker) start();
  else status("Computing …");
  asked += 1;
  worker?.postMessage({ question: asked, formula: part("formula").value, values: part("values").value });
}

const link = (id, text, type) => {
  const address = URL.createObjectURL(new Blob([text], { type }));
  objects.push(address);
  part(id).href = address;
};

function show({ question, failed, error, page, svg, text, values }) {
  if (failed) { fail(failed); return; }
  if (question !== asked) return;
  status("");
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
