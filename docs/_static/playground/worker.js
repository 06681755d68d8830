// Python and Graphviz in WebAssembly: a question is a formula with its values, or the code of a cell.
const say = (stage) => postMessage({ stage });

async function begin() {
  const fetched = (name) => fetch(new URL(name, import.meta.url)).then((answer) => {
    if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
    return answer;
  });
  const [{ loadPyodide, version }, viz, packages, program] = await Promise.all([
    import("./pyodide.mjs"),
    import("./viz.js").then((module) => module.instance()),
    fetched("packages.zip").then((answer) => answer.arrayBuffer()),
    fetched("answer.py").then((answer) => answer.text()),
  ]);
  // NumPy, matplotlib and the like, which some notebooks import, come from Pyodide's own site when they are asked for.
  const packageBaseUrl = `https://cdn.jsdelivr.net/pyodide/v${version}/full/`;
  const python = await loadPyodide({ indexURL: new URL(".", import.meta.url).href, packageBaseUrl });
  say("Starting scalargrad …");
  python.unpackArchive(packages, "zip", { extractDir: "/packages" });
  python.globals.set("to_svg", (source, engine) => viz.renderString(source, { format: "svg", engine }));
  await python.runPythonAsync("import sys; sys.path.insert(0, '/packages')");
  await python.runPythonAsync(program);
  say("");
  return { python, answer: python.globals.get("answer"), run: python.globals.get("run") };
}

const ready = begin();

onmessage = async ({ data: { question, formula, values, code } }) => {
  try {
    const { python, answer, run } = await ready;
    if (code !== undefined) await python.loadPackagesFromImports(code).catch(() => {}); // `run` says what is missing
    postMessage({ question, ...JSON.parse(code === undefined ? answer(formula, values) : run(code)) });
  } catch (error) {
    postMessage({ question, failed: String(error) });
  }
};
