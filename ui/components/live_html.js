// Shows what live_html.py sends, or what news has brought since. Streamlit calls the default function at mount and
// whenever the script sends other data, always with the same parent element.

const places = new WeakMap(); // parent element -> what is known there

export default function ({ data, parentElement }) {
  if (!places.has(parentElement)) places.set(parentElement, mount(parentElement));
  const place = places.get(parentElement);
  place.key = data.key;
  // A change of theme brings all as it was, which news may have overtaken; a page that ran anew is right.
  if (place.given !== data.html || place.edition !== data.edition) {
    place.show((place.given = data.html));
    place.edition = data.edition;
    place.givenAt = performance.now();
  }
  const call = ++place.calls;

  // Streamlit also runs the clean-up of a call that a newer one overtook.
  return () => {
    if (call !== place.calls) return;
    window.removeEventListener("dropout-lab:contents", place.takeContents);
    places.delete(parentElement);
  };
}

function mount(parent) {
  const node = parent.querySelector(".live-html");
  const place = { key: null, given: null, calls: 0 };
  place.show = (html) => (node.innerHTML = html);
  place.takeContents = ({ detail: { contents, askedAt } }) => {
    if (place.key in contents && askedAt >= place.givenAt) place.show(contents[place.key]); // else it may be older
  };
  window.addEventListener("dropout-lab:contents", place.takeContents);
  return place;
}
