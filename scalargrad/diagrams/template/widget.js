// The page in a frame without an origin of its own; the inputs go back and forth as messages.
function render({ model, el }) {
  const frame = document.createElement("iframe");
  frame.setAttribute("sandbox", "allow-scripts");
  frame.title = model.get("title");
  frame.style.cssText = `width: 100%; height: ${model.get("height")}px; border: 1px solid #475569`;
  frame.srcdoc = model.get("page");
  const names = model.get("names");
  const send = () => {
    const given = model.get("inputs");
    frame.contentWindow?.postMessage({ scalargrad: "set", inputs: names.map((name) => given[name]) }, "*");
  };
  const hear = ({ source, data }) => {
    if (source !== frame.contentWindow || data?.scalargrad !== "inputs") return;
    model.set("inputs", Object.fromEntries(names.map((name, i) => [name, data.inputs[i]])));
    model.save_changes();
  };
  frame.addEventListener("load", send);
  addEventListener("message", hear);
  model.on("change:inputs", send);
  el.append(frame);
  return () => {
    removeEventListener("message", hear);
    model.off("change:inputs", send);
  };
}
export default { render };
