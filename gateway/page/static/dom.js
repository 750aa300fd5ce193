// Small means to build and change the page. Text only ever goes in as text, never as markup.

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

// setText leaves the node alone when nothing changed, so that a screen reader stays quiet.
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function setAttr(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

// list makes the children of a node match items, by key. make builds a child, fill sets it.
export function list(node, items, make, fill) {
  const old = new Map([...node.children].map((child) => [child.dataset.key, child]));
  items.forEach((item, i) => {
    let child = old.get(item.key);
    old.delete(item.key);
    if (!child) {
      child = make(item);
      child.dataset.key = item.key;
    }
    fill(child, item);
    if (node.children[i] !== child) node.insertBefore(child, node.children[i] ?? null);
  });
  for (const child of old.values()) child.remove();
}

// Each tone has its own shape, so that colour is never needed to tell them apart.
const SHAPES = {
  ok: ["M12 2a10 10 0 1 1 0 20 10 10 0 0 1 0-20z", "M7.5 12.500l3 3 6-6.500"],
  deviation: ["M12 2.500 22.500 21h-21z", "M12 9v6M12 17.500v.8"],
  attention: ["M12 2.500 22.500 21h-21z", "M12 9v6M12 17.500v.8"],
  alarm: ["M8 2h8l6 6v8l-6 6H8l-6-6V8z", "M12 6.500v7M12 16.600v.9"],
  notice: ["M4 3h16v18H4z", "M12 10.500V17M12 7v.6"],
  unknown: ["M12 1.500 22.500 12 12 22.500 1.500 12z", "M9.500 9.600a2.500 2.500 0 1 1 3.600 2.300c-.8.4-1.100.9-1.100 1.700M12 16.200v.8"],
  stale: ["M12 2a10 10 0 1 1 0 20 10 10 0 0 1 0-20z", "M12 6.500V12l4 2.500"],
  noreading: ["M12 2a10 10 0 1 1 0 20 10 10 0 0 1 0-20z", "M5 5l14 14"],
  lost: ["M2 9a14 14 0 0 1 20 0M5.500 12.500a9 9 0 0 1 13 0M9 16a4 4 0 0 1 6 0", "M4 3l16 18"],
};

export function icon(tone) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const [outline, mark] = SHAPES[tone.split(".")[0]] ?? SHAPES.unknown;
  for (const [cls, d] of [["outline", outline], ["mark", mark]]) {
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("class", cls);
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}
