// Draws the tiles that image_grid.py sends. Streamlit calls the default function at mount, at each change of the
// data and at each change of theme.

const grids = new WeakMap(); // list element -> its grid

export default function ({ data, parentElement, setTriggerValue }) {
  const list = parentElement.querySelector(".grid");
  if (!grids.has(list)) grids.set(list, mount(list));
  const grid = grids.get(list);
  grid.pick = (name) => {
    setTriggerValue("pick", name);
    if (data.showsIn) scrollTo(`.st-key-${CSS.escape(data.showsIn.replaceAll(".", "-"))}`);
  };
  draw(grid, data);
}

// Only where it lies wholly out of sight: what the visitor sees already must not move.
function scrollTo(selector) {
  const target = document.querySelector(selector);
  if (!target) return;
  target.style.scrollMarginTop = "4rem"; // below the page's header
  const { top, bottom } = target.getBoundingClientRect();
  if (top > window.innerHeight - 100 || bottom < 100) target.scrollIntoView({ behavior: "smooth", block: "start" });
}

function mount(list) {
  const grid = { list, items: new Map(), pick: null };
  list.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) grid.pick(button.dataset.name);
  });
  return grid;
}

// Tiles that stay keep their elements, so that neither their pictures nor the keyboard's focus are lost.
function draw(grid, { tiles, folder, chosen }) {
  const focused = grid.list.getRootNode().activeElement;
  const items = new Map();
  for (const [place, tile] of tiles.entries()) {
    const item = grid.items.get(tile.name) ?? makeItem(tile.name);
    update(item, tile, folder, tile.name === chosen);
    items.set(tile.name, item);
    const there = grid.list.children[place];
    if (there !== item) grid.list.insertBefore(item, there ?? null);
  }
  for (const [name, item] of grid.items) if (!items.has(name)) item.remove();
  grid.items = items;
  // An element that moves loses the focus.
  if (grid.list.contains(focused)) focused.focus({ preventScroll: true });
}

function makeItem(name) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.name = name;
  const image = document.createElement("img");
  image.loading = "lazy";
  image.alt = ""; // the button's label says it
  image.draggable = false;
  const caption = document.createElement("span");
  caption.className = "caption";
  button.append(image, caption);
  item.append(button);
  return item;
}

function update(item, tile, folder, isChosen) {
  const button = item.firstChild;
  const [image, caption] = button.children;
  button.setAttribute("aria-label", tile.alt);
  button.setAttribute("aria-pressed", isChosen);
  button.title = tile.alt;
  const address = `${folder}${encodeURIComponent(tile.name)}.png`;
  if (image.getAttribute("src") !== address) image.src = address;
  caption.textContent = tile.caption;
  if (tile.wrong) {
    const cross = document.createElement("span");
    cross.className = "cross";
    cross.textContent = "✕";
    caption.prepend(cross);
  }
}
