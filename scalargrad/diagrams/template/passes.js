// ---- the graph, its numbers for any inputs, and the steps of its passes ----
const data = JSON.parse(document.getElementById("data").textContent);
const { nodes, edges } = data;
const goal = nodes.length - 1;
const readNumber = (x) => (x === null ? null : typeof x === "string" ? { inf: Infinity, "-inf": -Infinity, nan: NaN }[x] : x);
const recorded = { values: data.values.map(readNumber), partials: data.partials.map(readNumber) };
const start = data.inputs.map((place) => recorded.values[place]);
const feeds = nodes.map((_, place) => edges.filter((edge) => edge.from === place));
const made = nodes.map((_, place) => edges.filter((edge) => edge.to === place));
edges.forEach((edge, i) => { edge.place = i; });

// The numbers for some inputs: what Python recorded, or what the program computes anew.
function numbersFor(inputs) {
  const same = inputs.every((x, i) => Object.is(x, start[i]));
  const [values, partials] = same ? [recorded.values, recorded.partials] : program(inputs, helpers);
  const locals = edges.map(({ places }) => {
    const uses = places.map((place) => partials[place]).filter((partial) => partial !== null);
    return uses.length ? uses.reduce((sum, partial) => sum + partial) : null; // null: 0 by structure
  });
  return { values, locals };
}

// Nothing flows along a derivative that is 0 by structure, nor from a 0: not even 0 · ∞.
const product = (flow, local) => (local === null || flow === 0 ? 0 : flow * local);

const by = (place) => `∂${nodes[goal].name}/∂${nodes[place].name}`;
const delta = (place) => `Δ${nodes[place].name}`;

// Nodes in the order of the pass: as they were made, or stage by stage.
function stagesOf(together) {
  const computed = nodes.map((_, place) => place).filter((place) => made[place].length);
  if (!together) return computed.map((place) => [place]);
  const stages = new Map();
  for (const place of computed) stages.set(nodes[place].stage, [...(stages.get(nodes[place].stage) ?? []), place]);
  return [...stages.values()].sort((a, b) => a.at(-1) - b.at(-1));
}

function forwardSteps({ values }, together) {
  const first = { kind: "inputs", values: data.inputs };
  const atoms = (stage) => stage.map((place) => ({ kind: "value", node: place, answer: values[place] }));
  return [first, ...stagesOf(together).map((stage) => ({ atoms: atoms(stage), values: stage }))]
    .filter((step) => step.atoms || data.inputs.length)
    .map((step) => ({ phase: "forward", atoms: [step], lit: [], ...step }));
}

function contribution(edge, { locals }, sums) {
  const { from, to, place } = edge;
  const flow = sums.get(to) ?? 0;
  const amount = product(flow, locals[place]);
  const was = sums.get(from) ?? null;
  const now = was === null ? amount : was + amount;
  sums.set(from, now);
  return { kind: "contribution", node: from, edge, flow, local: locals[place] ?? 0, amount, was, now, answer: now };
}

// What is said of a layer begins with its units; its parameters follow.
const unitsFirst = (atoms) => [false, true].flatMap((last) => atoms.filter(({ node }) => Boolean(nodes[node].parameter) === last));

function backwardSteps(numbers, together) {
  const sums = new Map([[goal, 1]]);
  const steps = [{ phase: "backward", atoms: [{ kind: "start", node: goal, now: 1 }] }];
  for (const stage of stagesOf(together).reverse()) {
    const atoms = [...stage].reverse().flatMap((place) => made[place]).map((edge) => contribution(edge, numbers, sums));
    if (together) steps.push({ phase: "backward", atoms: unitsFirst(atoms) });
    else steps.push(...atoms.map((atom) => ({ phase: "backward", atoms: [atom] })));
  }
  const gradient = data.inputs.map((place) => [place, sums.get(place) ?? 0]);
  return [...steps, { phase: "backward", atoms: [{ kind: "done", gradient }] }];
}

function perturbationSteps(input, { locals }, together) {
  const sums = new Map([[input, 1]]);
  const steps = [{ phase: "perturbation", atoms: [{ kind: "nudge", node: input, now: 1 }] }];
  for (const stage of stagesOf(together)) {
    const atoms = [];
    for (const edge of stage.flatMap((place) => made[place])) {
      if (!sums.has(edge.from)) continue;
      const flow = sums.get(edge.from), amount = product(flow, locals[edge.place]), was = sums.get(edge.to) ?? null;
      const now = was === null ? amount : was + amount;
      sums.set(edge.to, now);
      const local = locals[edge.place] ?? 0;
      atoms.push({ kind: "change", node: edge.to, edge, flow, local, amount, was, now, answer: now });
    }
    if (together && atoms.length) steps.push({ phase: "perturbation", atoms });
    else steps.push(...atoms.map((atom) => ({ phase: "perturbation", atoms: [atom] })));
  }
  return [...steps, { phase: "perturbation", atoms: [{ kind: "reached", input, now: sums.get(goal) ?? 0 }] }];
}

function allSteps(numbers, { sweep, together }) {
  const back = sweep === null ? backwardSteps(numbers, together) : perturbationSteps(sweep, numbers, together);
  return [...forwardSteps(numbers, together), ...back];
}

// What is known after some steps: values, and derivatives or perturbations, by node; and the edges passed.
function knownAfter(steps) {
  const known = { values: new Set(), thirds: new Map(), labels: new Set() };
  for (const { phase, atoms, values = [] } of steps) {
    for (const place of values) known.values.add(place);
    for (const { node, now, edge } of phase === "forward" ? [] : atoms) {
      if (now !== undefined && node !== undefined) known.thirds.set(node, now);
      if (edge) known.labels.add(edge.place);
    }
  }
  return known;
}
