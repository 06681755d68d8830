// ---- the picture: its boxes and lines, and the numbers in them ----
const byId = (id) => document.getElementById(id);
const frame = byId("picture");
const SVG = "http://www.w3.org/2000/svg";
const LETTERS = 16, READABLE = 10.5, EASY_TO_READ = 12; // px: as drawn, and the least that may be seen
const PART_OF_SCREEN = 0.62;
const textsOf = (group) => Object.fromEntries([...(group?.querySelectorAll("text") ?? [])].map((text) => [text.getAttribute("class"), text]));

// The nodes that share a box: the turns of a loop, the units of a wide layer.
const sharing = {};
nodes.forEach(({ box }, place) => { if (box) (sharing[box] ??= []).push(place); });

// A picture may be laid out twice: from left to right, and from top to bottom for a narrow screen.
const pictures = [...frame.querySelectorAll("svg")].map((svg) => {
  const part = (id) => byId(svg.getAttribute("class") + id);
  const boxes = nodes.map((_, place) => part(`n${place}`)); // null for a node that is folded
  const plates = edges.map(({ place }) => part(`e${place}label`));
  const lines = edges.map(({ place }) => part(`e${place}`));
  const shared = Object.entries(sharing).map(([name, places]) => ({ box: part(name), places }));
  return { svg, boxes, boxTexts: boxes.map(textsOf), shared, lines, plates, plateTexts: plates.map(textsOf) };
});
let picture = pictures[0]; // the one that is seen

// The scale at which the whole picture is seen.
function wholeScale({ svg }) {
  const { width, height } = svg.viewBox.baseVal;
  return Math.min(frame.clientWidth / width, (PART_OF_SCREEN * innerHeight) / height, 1.25);
}

function sizePicture(fitted) {
  picture = pictures.find((each) => wholeScale(each) * LETTERS >= READABLE)
    ?? pictures.reduce((best, each) => (wholeScale(each) > wholeScale(best) ? each : best));
  for (const each of pictures) each.svg.toggleAttribute("hidden", each !== picture);
  const whole = wholeScale(picture), scale = fitted || whole * LETTERS >= READABLE ? whole : EASY_TO_READ / LETTERS;
  const { width, height } = picture.svg.viewBox.baseVal;
  picture.svg.setAttribute("width", Math.floor(width * scale));
  picture.svg.setAttribute("height", Math.floor(height * scale));
  for (const plate of picture.plates.filter(Boolean)) sizePlate(plate);
  const scrolls = frame.scrollWidth > frame.clientWidth || frame.scrollHeight > frame.clientHeight;
  if (scrolls) frame.tabIndex = 0; else frame.removeAttribute("tabindex");
}

function sizePlate(plate) {
  const boxes = [...plate.querySelectorAll("text")].map((text) => text.getBBox());
  const x = Math.min(...boxes.map((box) => box.x)), y = Math.min(...boxes.map((box) => box.y));
  const right = Math.max(...boxes.map((box) => box.x + box.width)), bottom = Math.max(...boxes.map((box) => box.y + box.height));
  const size = { x: x - 2, y, width: right - x + 4, height: bottom - y };
  for (const [name, value] of Object.entries(size)) plate.querySelector("rect").setAttribute(name, value);
}

function describePictures() {
  for (const { svg, boxes, lines } of pictures) {
    svg.setAttribute("role", "img");
    const [some, joined] = [boxes, lines].map((parts) => parts.filter(Boolean).length);
    svg.setAttribute("aria-label", `Graph of ${some} nodes and ${joined} edges; its numbers are in the table`);
  }
}

// `asked` is the atom whose number the reader is to find: it stands there as a question mark.
function showPictures(known, step, numbers, nameOf, asked) {
  for (const each of pictures) showPicture(each, known, step, numbers, nameOf, asked);
}

function showPicture({ boxes, boxTexts, shared, lines, plates, plateTexts }, known, { atoms, phase }, numbers, nameOf, asked) {
  const targets = new Set(atoms.map(({ node }) => node).filter((place) => place !== undefined));
  const sources = new Set(atoms.filter(({ edge }) => edge).map(({ kind, edge }) => (kind === "change" ? edge.from : edge.to)));
  const lit = new Set(atoms.flatMap(({ kind, edge, node }) => (kind === "value" ? made[node].map((e) => e.place) : edge ? [edge.place] : [])));
  boxes.forEach((box, place) => {
    if (!box) return;
    const { equation, value, derivative } = boxTexts[place];
    const isAsked = asked?.node === place;
    const isKnown = known.values.has(place) || (isAsked && asked.kind === "value");
    value.textContent = isAsked && asked.kind === "value" ? "?" : digits(numbers.values[place]);
    derivative.textContent = `${nameOf(place)} = ${isAsked ? "?" : digits(known.thirds.get(place) ?? 0)}`;
    box.classList.toggle("later", !isKnown);
    for (const text of [equation, value]) text.classList.toggle("hidden", !isKnown);
    derivative.classList.toggle("hidden", !known.thirds.has(place) && !(isAsked && phase !== "forward"));
    box.classList.toggle("target", targets.has(place));
    box.classList.toggle("source", sources.has(place));
  });
  for (const { box, places } of shared) {
    box.classList.toggle("later", !places.some((place) => known.values.has(place)));
    box.classList.toggle("target", places.some((place) => targets.has(place)));
    box.classList.toggle("source", places.some((place) => sources.has(place)));
  }
  lines.forEach((line, i) => {
    line?.classList.toggle("later", !known.values.has(edges[i].to));
    line?.classList.toggle("lit", lit.has(i));
    if (!plates[i]) return;
    const seen = known.labels.has(i);
    const isAsked = asked?.edge?.place === i;
    plates[i].classList.toggle("lit", lit.has(i));
    plates[i].classList.toggle("hidden", !seen && !isAsked);
    if (plateTexts[i].number) plateTexts[i].number.textContent = isAsked ? "= ?" : `= ${digits(numbers.locals[i] ?? 0)}`;
  });
}

function follow({ atoms }) {
  const [{ node, edge }] = atoms;
  const boxOf = (place) => picture.boxes[place] ?? picture.shared.find(({ places }) => places.includes(place))?.box;
  const target = boxOf(node);
  if (!target) return;
  const area = frame.getBoundingClientRect();
  const box = target.getBoundingClientRect();
  const giver = edge && boxOf(edge.from === node ? edge.to : edge.from);
  const other = (giver ?? target).getBoundingClientRect();
  // The middle of both boxes if they fit in the frame together, else the one that receives.
  const offset = (low, high) => {
    const span = [Math.min(box[low], other[low]), Math.max(box[high], other[high])];
    const [from, to] = span[1] - span[0] <= area[high] - area[low] ? span : [box[low], box[high]];
    return (from + to) / 2 - (area[low] + area[high]) / 2;
  };
  frame.scrollBy(offset("left", "right"), offset("top", "bottom"));
}

// ---- contributions travel along their edges: backward in the backward pass ----
const TRAVEL = 700; // ms
const MOST_TRAVELLERS = 16;
let travellers = [];

function travel(atoms) {
  for (const { pill } of travellers) pill.remove();
  travellers = [];
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  for (const { kind, edge, amount } of atoms.slice(0, MOST_TRAVELLERS)) {
    const path = edge && picture.lines[edge.place]?.querySelector("path");
    if (path) travellers.push({ path, pill: pillOf(amount, path), backward: kind === "contribution" });
  }
  const mine = travellers;
  let begun = null;
  const move = (time) => {
    if (mine !== travellers) return;
    begun ??= time;
    const part = Math.min((time - begun) / TRAVEL, 1);
    for (const { path, pill, backward } of mine) {
      const { x, y } = path.getPointAtLength(path.getTotalLength() * (backward ? 1 - part : part));
      pill.setAttribute("transform", `translate(${x} ${y})`);
    }
    if (part < 1) requestAnimationFrame(move);
    else { for (const { pill } of mine) pill.remove(); travellers = []; }
  };
  if (mine.length) requestAnimationFrame(move);
}

function pillOf(amount, path) {
  const [pill, plate, text] = ["g", "rect", "text"].map((tag) => document.createElementNS(SVG, tag));
  text.textContent = digits(amount);
  const width = 10 + 9 * text.textContent.length;
  for (const [name, value] of Object.entries({ x: -width / 2, y: -12, width, height: 24, rx: 12 })) plate.setAttribute(name, value);
  text.setAttribute("text-anchor", "middle");
  text.setAttribute("y", 5);
  const { x, y } = path.getPointAtLength(0);
  pill.setAttribute("transform", `translate(${x} ${y})`);
  pill.setAttribute("class", "pill");
  pill.append(plate, text);
  path.closest("svg > g").append(pill);
  return pill;
}
