// Keeps what a page shows in the browser's address, and copies that. Streamlit calls the default function at mount and
// whenever page_address.py sends other data.

let newest = 0; // of what has been put into the address

export default function ({ data, parentElement }) {
  if (data.changed_at > newest) {
    newest = data.changed_at;
    put(data);
  }
  const [button, field] = ["button", "input"].map((name) => parentElement.querySelector(name));
  button.hidden = !data.button;
  button.querySelector(".words").textContent = data.words;
  button.onclick = () => copy(data, button, field, parentElement.querySelector(".told"));
}

function put({ said, names }) {
  const address = new URL(window.location.href);
  for (const name of names) address.searchParams.delete(name);
  for (const [name, text] of Object.entries(said)) address.searchParams.set(name, text);
  if (address.href === window.location.href) return;
  // Without an entry in the history: the browser's Back leads to what was open before, not through every field.
  window.history.replaceState(window.history.state, "", address);
}

async function copy(data, button, field, told) {
  const words = button.querySelector(".words");
  const address = new URL(window.location.href);
  for (const [name, text] of Object.entries(data.more)) address.searchParams.set(name, text);
  const text = address.href;
  // What is in no address bar is shown, too.
  field.hidden = text === window.location.href;
  field.value = text;
  try {
    await navigator.clipboard.writeText(text);
    words.textContent = "Link copied";
  } catch {
    // Only pages by https and of this machine may write into the clipboard. On others it is there to be copied by hand.
    field.hidden = false;
    field.focus();
    field.select();
    words.textContent = "Copy it from below";
  }
  told.textContent = words.textContent; // for those who do not see the button
  clearTimeout(button.reset);
  button.reset = setTimeout(() => {
    words.textContent = data.words;
    told.textContent = "";
  }, 4000);
}
