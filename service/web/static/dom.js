// Small helpers around the document. Everything is inserted as text: there is no way to pass markup.

export const byId = (id) => document.getElementById(id);

/** An element; `props` are attributes, or listeners where the name begins with "on". */
export function el(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** An element of SVG with its attributes. */
export function svgEl(tag, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

/** Call `work` once before the next frame, however often it is asked for. */
export function oncePerFrame(work) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      work();
    });
  };
}

/** A button that cannot be used now keeps its focus, so the keyboard does not lose its place. */
export function setUsable(button, isUsable) {
  button.setAttribute("aria-disabled", String(!isUsable));
}

export const isUsable = (button) => button.getAttribute("aria-disabled") !== "true";

/** Notes the last press of a button among `selector` until what is given back is called, which presses it
 * again: what it does was not there yet. */
export function pressedEarly(selector) {
  let pressed = null;
  const note = ({ target }) => (pressed = target.closest(selector) ?? pressed);
  addEventListener("click", note);
  return () => {
    removeEventListener("click", note);
    if (pressed?.isConnected) pressed.click(); // a notice's button is gone, and has done what it does
    pressed = null;
  };
}

const NUMBERS = new Intl.NumberFormat("en");
export const number = (value) => NUMBERS.format(value);

/** Whether a key belongs to an input method; some browsers tell it only by the old code. */
export const isComposing = (event) => event.isComposing || event.keyCode === 229;
