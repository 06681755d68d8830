// ---- what a step says, why it is so, and what is wrong with a wrong answer ----
const MOST_LISTED = 3;
const listed = (texts) => (texts.length < 2 ? texts.join("") : `${texts.slice(0, -1).join(", ")} and ${texts.at(-1)}`);
const few = (texts) => listed(texts.length > 5 ? [...texts.slice(0, 3), "…", texts.at(-1)] : texts);
const called = (place) => nodes[place].name;
const ORDINALS = ["first", "second", "third", "fourth", "fifth"];
const COUNTS = ["no terms", "one term", "two terms", "three terms", "four terms", "five terms"];
const ordinal = (i, count) => (i === count - 1 && count > 2 ? "last" : ORDINALS[i] ?? `${i + 1}th`);
const terms = (count) => COUNTS[count] ?? `${count} terms`;

// An atom's equation without its numbers, up to the number that it finds.
function equation({ kind, node, edge }) {
  if (kind === "value") return `${called(node)} = ${nodes[node].formula}`;
  if (kind === "contribution") return `${by(node)} += ${by(edge.to)} · ${edge.factor}`;
  return `${delta(node)} += ${edge.factor} · ${delta(edge.from)}`;
}

function numbersOf({ kind, flow, local, amount, was, now, answer }) {
  if (kind === "value") return ` = ${digits(answer)}`;
  const pair = kind === "contribution" ? [digits(flow), factor(local)] : [digits(local), factor(flow)];
  return ` = ${pair.join(" · ")} = ${digits(amount)}${was === null ? "" : ` (was ${digits(was)}, now ${digits(now)})`}`;
}

function atomText(atom, numbers) {
  const assigned = (place) => `${called(place)} = ${digits(numbers.values[place])}`;
  if (atom.kind === "inputs") return inputsText(assigned);
  if (atom.kind === "start") return `${by(goal)} = 1`;
  if (atom.kind === "nudge") return `${delta(atom.node)} = 1`;
  if (atom.kind === "reached")
    return `Done: ${delta(goal)} = ${digits(atom.now)} for ${delta(atom.input)} = 1, so ${by(atom.input)} = ${digits(atom.now)}`;
  if (atom.kind === "done") {
    const all = atom.gradient.length > 4
      ? `the table has the derivatives with respect to all ${atom.gradient.length} inputs`
      : atom.gradient.map(([place, slope]) => `${by(place)} = ${digits(slope)}`).join(", ");
    return `Done: ${all}`;
  }
  return equation(atom) + numbersOf(atom);
}

function inputsText(assigned) {
  const shown = data.inputs.filter((place) => !nodes[place].parameter);
  const parameters = data.inputs.length - shown.length;
  const most = shown.length > 6 ? [...shown.slice(0, 5).map(assigned), `… (${shown.length} inputs)`] : shown.map(assigned);
  return [...most, ...(parameters ? [`${parameters} parameters, in the table`] : [])].join(", ");
}

function stepText({ phase, atoms }, numbers) {
  if (atoms.length === 1) return atomText(atoms[0], numbers);
  if (atoms.length <= MOST_LISTED) return atoms.map((atom) => atomText(atom, numbers)).join("; ");
  const stage = nodes[atoms[0].edge ? atoms[0].edge.to : atoms[0].node].stage;
  const what = { forward: "values", backward: "contributions through it", perturbation: "changes" }[phase];
  return `${stage}: ${atoms.length} ${what}, such as ${atomText(atoms[0], numbers)}`;
}

function whyText({ atoms }) {
  const [atom] = atoms;
  const of = { value: whyValue, contribution: whyContribution, change: whyChange }[atom.kind];
  if (of) return of(atom);
  return {
    inputs: `The forward pass begins with the numbers that are given.${notesOf(data.inputs)}`,
    start: `The backward pass begins at ${called(goal)}, whose derivative with respect to itself is 1.`,
    done: "Each input has collected a contribution from every node that it feeds.",
    nudge: `${called(atom.node ?? 0)} moves by a little; how much does each node move, in parts of that?`,
    reached: "Both passes find the same derivative.",
  }[atom.kind];
}

// What the reader must know besides, such as that an input was assigned after the forward pass.
const notesOf = (places) => places.filter((place) => nodes[place].note).map((place) => ` ${called(place)}: ${nodes[place].note}.`).join("");

function whyValue({ node }) {
  const parents = made[node].map(({ from }) => called(from));
  const note = notesOf([node]);
  return `${few(parents)} ${parents.length > 1 ? "are" : "is"} known, so ${called(node)} can be computed.${note}`;
}

function whyContribution(atom) {
  return `${whyFlow(atom)}${atom.edge.legend ? ` Here ${atom.edge.legend}.` : ""}`;
}

function whyFlow({ node, edge, flow, local }) {
  const children = [...feeds[node]].reverse();
  const place = children.indexOf(edge);
  const count = children.length;
  const feedsText = `${called(node)} feeds ${count > 1 || node !== goal ? few(feeds[node].map(({ to }) => called(to))) : ""}`;
  const sum = count === 1
    ? `${feedsText} alone, so its derivative has one term.`
    : `${feedsText}, so its derivative is the sum of ${terms(count)}; this is the ${ordinal(place, count)}.`;
  if (flow === 0) return `${sum} Nothing arrives at ${called(edge.to)}, so nothing flows on.`;
  if (local === 0) return `${sum} The local derivative is 0 here: a change of ${called(node)} leaves ${called(edge.to)} as it is.`;
  if (local === 1 && edge.formula === "1") return `${sum} A sum hands on what arrives at it.`;
  return `${sum} The local derivative ∂${called(edge.to)}/∂${called(node)} is ${edge.formula}${edge.formula === digits(local) ? "" : ` = ${digits(local)}`}.`;
}

function whyChange({ edge }) {
  const moving = made[edge.to].map(({ from }) => called(from));
  return `${called(edge.to)} depends on ${few(moving)}; a change of ${called(edge.from)} reaches it times ∂${called(edge.to)}/∂${called(edge.from)} = ${edge.formula}.`;
}

// ---- wrong answers: each has the number that it gives, and what to think about ----
const IN_DEGREES = { sin: Math.sin, cos: Math.cos, tan: Math.tan };

function mistakesOf(atom, numbers) {
  return atom.kind === "value" ? mistakesOfValue(atom, numbers) : mistakesOfSum(atom, numbers);
}

function mistakesOfValue({ node, answer }, { values }) {
  const xs = made[node].map(({ from }) => values[from]);
  const [x, y] = xs, name = nodes[node].does;
  const found = [[-answer, "The sign is wrong."]];
  if (IN_DEGREES[name]) found.push([IN_DEGREES[name]((x * Math.PI) / 180), "That is for degrees; here angles are in radians."]);
  if (name === "log") found.push([Math.log10(x), "That is the logarithm to base 10; ln is to base e."]);
  if (xs.length === 2 && name === "sub") found.push([y - x, "The order is wrong: subtract the second from the first."]);
  if (xs.length === 2 && name === "mul") found.push([x + y, "That is the sum; here the two are multiplied."]);
  if (xs.length === 2 && name === "add") found.push([x * y, "That is the product; here the two are added."]);
  if (name === "pow") found.push([2 * x, "That is twice the number; a square is the number times itself."]);
  if (name === "relu" && answer === 0) found.push([x, "A relu gives 0 for a negative number."]);
  found.push([1 / answer, "That is the reciprocal."]);
  xs.forEach((value, i) => found.push([value, `That is ${called(made[node][i].from)} itself; what does ${nodes[node].formula} do to it?`]));
  return found;
}

function mistakesOfSum({ kind, node, edge, flow, local, amount, was, now }, { values }) {
  const back = kind === "contribution";
  const arrives = back ? by(edge.to) : delta(edge.from);
  const slope = `∂${called(edge.to)}/∂${called(edge.from)}`;
  const name = back ? by(node) : delta(node);
  const found = [];
  if (was !== null) {
    const path = back ? `the path through ${few(feeds[node].filter((e) => e !== edge).map(({ to }) => called(to)))}` : "what came before";
    found.push([amount, `That is this contribution alone: += adds it to ${digits(was)}, = would forget ${path}.`]);
    found.push([was, `That is what was there before; the path through ${called(back ? edge.to : edge.from)} is missing.`]);
    found.push([was - amount, "The sign of this contribution is wrong."]);
    found.push([was * amount, "Contributions of several paths are added, not multiplied."]);
  }
  found.push([-now, "The sign is wrong."]);
  found.push([local, `That is the local derivative ${slope}; multiply it by ${arrives} = ${digits(flow)}.`]);
  found.push([flow, `That is ${arrives}, what arrives; multiply it by the local derivative ${slope}.`]);
  found.push([flow + local, "The two factors are multiplied, not added."]);
  found.push([flow * values[edge.to], `That multiplies by the value of ${called(edge.to)}; multiply by its derivative ${edge.formula}.`]);
  found.push([flow * values[edge.from], `That multiplies by the value of ${called(edge.from)}; the local derivative is ${edge.formula}.`]);
  if (local !== 0) found.push([flow / local, "That divides by the local derivative; multiply by it."]);
  return found.map(([wrong, reason]) => [wrong, reason, name]);
}

function verdictOn(text, atom, numbers) {
  if (agrees(text, atom.answer)) return { right: true, text: "Right." };
  if (Number.isNaN(parsed(text)) && !Number.isNaN(atom.answer))
    return { right: false, text: "Write a number, such as 0.35, −2 or 1/3." };
  const known = mistakesOf(atom, numbers).find(([wrong]) => agrees(text, wrong) && !agrees(text, atom.answer));
  if (known) return { right: false, text: known[1] };
  const apart = Math.abs(parsed(text) - atom.answer);
  if (apart <= 0.02 * Math.abs(atom.answer)) return { right: false, text: "Close: carry one digit more." };
  const hint = atom.kind === "value"
    ? `Put in ${few(made[atom.node].map(({ from }) => `${called(from)} = ${digits(numbers.values[from])}`))}.`
    : `Multiply what arrives, ${digits(atom.flow)}, by ${atom.edge.formula} at these numbers${atom.was === null ? "" : `, and add it to ${digits(atom.was)}`}.`;
  return { right: false, text: `Not yet. ${hint}` };
}

// ---- a node's derivative as a whole sum over the nodes that it feeds ----
function aboutNode(place, numbers, sums) {
  const lines = [nodes[place].formula ? `${called(place)} = ${nodes[place].formula} = ${digits(numbers.values[place])}` : `${called(place)} = ${digits(numbers.values[place])}, an input`];
  const children = feeds[place];
  if (place === goal) return [...lines, `${by(goal)} = 1`];
  if (!children.length) return [...lines, `${called(place)} feeds nothing, so ${by(place)} = 0`];
  const symbols = children.map(({ to, factor: local }) => `${by(to)} · ${local}`).join(" + ");
  const figures = children.map(({ to, place: i }) => `${digits(sums.get(to) ?? 0)} · ${factor(numbers.locals[i] ?? 0)}`).join(" + ");
  return [...lines, `${called(place)} feeds ${listed(children.map(({ to }) => called(to)))}:`, `${by(place)} = ${symbols}`, `= ${figures} = ${digits(sums.get(place) ?? 0)}`];
}
