// Python and Graphviz in WebAssembly: a question is a formula with its values, an answer the pages about it.
const say = (stage) => postMessage({ stage });

async function begin() {
  const fetched = (name) => fetch(new URL(name, import.meta.url)).then((answer) => {
    if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
    return answer;
  });
  const [{ loadPyodide }, viz, packages, program] = await Promise.all([
    import("./pyodide.mjs"),
    import("./viz.js").then((module) => module.instance()),
    fetched("packages.zip").then((answer) => answer.arrayBuffer()),
    fetched("answer.py").then((answer) => answer.text()),
  ]);
  const python = await loadPyodide({ indexURL: new URL(".", import.meta.url).href });
  say("Starting scalargrad …");
  python.unpackArchive(packages, "zip", { extractDir: "/packages" });
  python.globals.set("to_svg", (source, engine) => viz.renderString(source, { format: "svg", engine }));
  await python.runPythonAsync("import sys; sys.path.insert(0, '/packages')");
  await python.runPythonAsync(program);
  return python.globals.get("answer");
}

const ready = begin();

onmessage = async ({ data: { question, formula, values } }) => {
  try {
    const answer = await ready;
    postMessage({ question, ...JSON.parse(answer(formula, values)) });
  } catch (error) {
    const files = "The files of Python are missing from this site. The page below works without them.";
    const missing = /404|import|fetch/i.test(String(error));
    postMessage({ question, failed: missing ? files : `Python could not be started here: ${error}` });
  }
};
