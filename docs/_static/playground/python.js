// Python in a worker of its own. `connect` returns a function from a question to the promise of its answer.
const MISSING = "The files of Python are missing from this site.";

export function connect(told) {
  told("Fetching Python, about 5 MB, once …");
  const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
  const waiting = new Map();
  let asked = 0;
  const fail = (failed) => {
    worker.terminate();
    told("");
    for (const answer of waiting.values()) answer({ failed });
    waiting.clear();
  };
  worker.addEventListener("message", ({ data: { stage, question, failed, ...answer } }) => {
    if (stage !== undefined) told(stage);
    else if (failed) fail(/404|import|fetch/i.test(failed) ? MISSING : `Python could not be started here: ${failed}`);
    else { waiting.get(question)?.(answer); waiting.delete(question); }
  });
  worker.addEventListener("error", () => fail(MISSING));
  return (question) => new Promise((answer) => {
    asked += 1;
    waiting.set(asked, answer);
    worker.postMessage({ ...question, question: asked });
  });
}
