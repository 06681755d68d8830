// ---- where the reader is, and how to get elsewhere ----
const PHASES = { forward: "forward pass", backward: "backward pass", perturbation: "perturbation forward" };
const PAUSE = 1600;
let inputs = [...start];
let numbers = numbersFor(inputs);
let sweep = null; // the place of the input whose perturbation goes forward; null for the backward pass
let together = Boolean(data.stages); // stage by stage, or node by node
let fitted = false;
let predicting = false;
let revealed = -1; // while predicting: the last step whose number is shown
let steps = [];
let texts = [];
let current = 0;
let timer = null;
let about = null;

const numberAsked = (place) => (predicting && place > revealed ? steps[place].atoms.find(({ answer }) => answer !== undefined) ?? null : null);

function recompute() {
  numbers = numbersFor(inputs);
  steps = allSteps(numbers, { sweep, together });
  texts = steps.map((step) => stepText(step, numbers));
  listSteps(texts, (place) => { stop(); go(place); });
  byId("slider").max = steps.length;
  byId("third").textContent = sweep === null ? `∂${called(goal)}/∂ node` : "Δ node";
  byId("trouble").textContent = troubleIn(numbers);
  showMovers(inputs);
}

function render(place, asked) {
  const step = steps[place];
  const known = knownAfter(steps.slice(0, asked ? place : place + 1));
  document.body.dataset.phase = step.phase;
  showPictures(known, step, numbers, sweep === null ? by : delta, asked);
  showTable(known, step, numbers, asked);
}

function tell(step, asked) {
  byId("phase").textContent = PHASES[step.phase];
  byId("count").textContent = `step ${current + 1} of ${steps.length}`;
  byId("sentence").textContent = asked ? `${equation(asked)} = ?` : texts[current];
  byId("why").textContent = asked && asked.kind !== "value" ? whyText(step).split(" The local derivative")[0] : whyText(step);
  byId("legend").textContent = step.atoms[0].edge ? "Bold border: the node that receives. Dashed border: the node that gives." : "";
  byId("ask").hidden = !asked;
  if (asked) byId("asked").textContent = `Your number for ${asked.kind === "value" ? called(asked.node) : (sweep === null ? by : delta)(asked.node)}:`;
}

function showList() {
  [...byId("steps").children].forEach((item, place) => {
    item.hidden = predicting && place > Math.max(current, revealed); // steps to come stay hidden
    const text = predicting && numberAsked(place) ? `${equation(numberAsked(place))} = ?` : texts[place];
    if (item.firstChild.textContent !== text) item.firstChild.textContent = text;
  });
  byId("steps").querySelector("[aria-current]")?.removeAttribute("aria-current");
  byId("steps").children[current].firstChild.setAttribute("aria-current", "step");
}

function go(place, { keepUrl = false, still = false } = {}) {
  const before = current;
  current = Math.min(Math.max(place, 0), steps.length - 1);
  if (current > before) revealed = Math.max(revealed, Math.min(before, current - 1));
  const step = steps[current], asked = numberAsked(current);
  render(current, asked);
  tell(step, asked);
  if (current !== before) { byId("verdict").textContent = ""; byId("answer").value = ""; }
  byId("slider").value = current + 1;
  byId("slider").setAttribute("aria-valuetext", `${current + 1} of ${steps.length}: ${byId("sentence").textContent}`);
  byId("first").disabled = byId("back").disabled = current === 0;
  byId("last").disabled = byId("next").disabled = current === steps.length - 1;
  showList();
  if (about !== null) showAbout(about);
  if (!still) {
    follow(step);
    travel(current === before + 1 && !asked ? step.atoms : []);
  }
  if (!keepUrl) writeUrl();
}

function choose(place) {
  sweep = place === null ? null : data.inputs[place];
  byId("sweep").checked = sweep !== null;
  byId("input").disabled = sweep === null || data.inputs.length < 2;
  if (place !== null) byId("input").value = place;
  recompute();
}

function writeUrl() {
  const parts = [`step=${current + 1}`];
  if (sweep !== null) parts.push(`perturb=${data.inputs.indexOf(sweep) + 1}`);
  if (!inputs.every((x, i) => Object.is(x, start[i]))) parts.push(`inputs=${inputs.join(",")}`);
  try { history.replaceState(null, "", `#${parts.join("&")}`); } catch { /* a frame in a notebook has no address of its own */ }
}

function readUrl() {
  const asked = new URLSearchParams(location.hash.slice(1));
  const given = (asked.get("inputs") ?? "").split(",").map((text) => (text.trim() === "" ? NaN : Number(text)));
  inputs = program && given.length === start.length && !given.some(Number.isNaN) ? given : [...start];
  const input = Number(asked.get("perturb"));
  choose(Number.isInteger(input) && input >= 1 && input <= data.inputs.length ? input - 1 : null);
  go((Number.parseInt(asked.get("step"), 10) || 1) - 1, { keepUrl: true });
}

function stop() {
  clearInterval(timer);
  timer = null;
  byId("play").textContent = "Play";
}

function play() {
  if (timer !== null) { stop(); return; }
  if (current === steps.length - 1) go(0);
  byId("play").textContent = "Pause";
  timer = setInterval(() => {
    if (numberAsked(current)) { stop(); return; } // it waits for an answer
    go(current + 1);
    if (current === steps.length - 1) stop();
  }, PAUSE);
}

// ---- what the reader does ----
const MOVES = {
  first: () => go(0),
  back: () => go(current - 1),
  next: () => go(current + 1),
  last: () => go(steps.length - 1),
};
for (const [id, move] of Object.entries(MOVES)) byId(id).addEventListener("click", () => { stop(); move(); });
byId("play").addEventListener("click", play);
byId("slider").addEventListener("input", (event) => { stop(); go(Number(event.target.value) - 1); });
byId("sweep").addEventListener("change", (event) => {
  stop();
  revealed = predicting ? Math.min(revealed, current - 1) : revealed;
  choose(event.target.checked ? Number(byId("input").value) : null);
  go(current);
});
byId("input").addEventListener("change", (event) => { stop(); choose(Number(event.target.value)); go(current); });

function moveInput(i, x) {
  const { field } = movers.find((mover) => mover.i === i);
  field.setCustomValidity(Number.isFinite(x) ? "" : "a number, such as 1.5, −2 or 1/3");
  if (!Number.isFinite(x)) return;
  stop();
  inputs[i] = x;
  recompute();
  go(current, { still: true });
  announceInputs();
}

byId("reset").addEventListener("click", () => {
  inputs = [...start];
  recompute();
  go(current, { still: true });
  announceInputs();
});

const pressed = (id, on) => byId(id).setAttribute("aria-pressed", String(on));
const TOGGLES = {
  predict: () => {
    predicting = !predicting;
    revealed = current - 1;
    byId("verdict").textContent = "";
    go(current);
    if (!byId("ask").hidden) byId("answer").focus();
    return predicting;
  },
  stages: () => {
    together = !together;
    recompute();
    revealed = -1;
    go(0);
    return together;
  },
  fit: () => {
    fitted = !fitted;
    sizePicture(fitted);
    follow(steps[current]);
    return fitted;
  },
  dark: () => {
    const isDark = document.documentElement.dataset.theme !== "dark";
    document.documentElement.dataset.theme = isDark ? "dark" : "light";
    return isDark;
  },
};
for (const [id, toggle] of Object.entries(TOGGLES)) byId(id).addEventListener("click", () => { stop(); pressed(id, toggle()); });

function reveal() {
  revealed = Math.max(revealed, current);
  go(current, { still: true });
}

byId("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  const asked = numberAsked(current);
  if (!asked) return;
  const verdict = verdictOn(byId("answer").value, asked, numbers);
  if (verdict.right) {
    reveal();
    byId("ask").hidden = false; // so that the verdict is read
    travel([asked]);
  }
  byId("verdict").textContent = verdict.text;
  byId("verdict").classList.toggle("right", verdict.right);
});
byId("reveal").addEventListener("click", () => { reveal(); byId("next").focus(); });

function showAbout(place) {
  about = place;
  const isKnown = knownAfter(steps.slice(0, numberAsked(current) ? current : current + 1)).thirds.has(place);
  const sums = knownAfter(steps).thirds;
  const hidden = sweep !== null || (predicting && !isKnown);
  byId("about-title").textContent = called(place);
  byId("about-text").replaceChildren(...(hidden ? [] : aboutNode(place, numbers, sums)).map((line) => element("p", line)));
  if (hidden) byId("about-text").append(element("p", "Its sum is shown when the backward pass has reached it."));
  byId("about").hidden = false;
}
byId("about-close").addEventListener("click", () => { about = null; byId("about").hidden = true; });
for (const { boxes } of pictures) boxes.forEach((box, place) => box?.addEventListener("click", () => showAbout(place)));

const KEYS = {
  ArrowLeft: MOVES.back, ArrowRight: MOVES.next, PageUp: MOVES.back, PageDown: MOVES.next, // presenters send the last two
  Home: MOVES.first, End: MOVES.last,
  p: () => byId("predict").click(), f: () => byId("fit").click(), d: () => byId("dark").click(),
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
  if (event.target.matches("select, input[type=range], input[type=text], #picture")) return; // these have a use of their own for the keys
  const plays = event.key === " " && !event.target.matches("button, input, summary");
  const action = plays ? play : KEYS[event.key];
  if (!action) return;
  event.preventDefault();
  if (!plays) stop();
  action();
});
addEventListener("hashchange", () => { stop(); readUrl(); });

// A notebook's widget around the page hears of the inputs, and sets them.
function announceInputs() {
  if (parent !== window) parent.postMessage({ scalargrad: "inputs", inputs }, "*");
}
addEventListener("message", ({ data: message, source }) => {
  if (source !== parent || message?.scalargrad !== "set" || !program) return;
  if (!Array.isArray(message.inputs) || message.inputs.length !== start.length || !message.inputs.every(Number.isFinite)) return;
  inputs = [...message.inputs];
  recompute();
  go(current, { still: true });
});

// A print has the whole walk: the picture and the table filled in, and all the steps.
let opened = false, theme = "";
addEventListener("beforeprint", () => {
  theme = document.documentElement.dataset.theme;
  document.documentElement.dataset.theme = "light";
  opened = byId("all").open;
  byId("all").open = true;
  render(steps.length - 1, null);
});
addEventListener("afterprint", () => {
  document.documentElement.dataset.theme = theme;
  byId("all").open = opened;
  render(current, numberAsked(current));
});

byId("title").textContent = document.title = data.title;
byId("input").append(...data.inputs.map((place, i) => element("option", called(place), { value: i })));
byId("stages").hidden = !data.stages;
byId("stages").textContent = data.stages === "turns" ? "Turns as one" : "Layer by layer";
pressed("stages", together);
document.documentElement.dataset.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
pressed("dark", document.documentElement.dataset.theme === "dark");
byId("moving").hidden = !program || !data.inputs.length;
if (program) makeMovers(moveInput);
describePictures();
addEventListener("resize", () => sizePicture(fitted));
sizePicture(fitted);
readUrl();
if (data.predict) byId("predict").click();
