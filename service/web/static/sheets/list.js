// The dialog with all sheets: open, name, delete, recover.

import { byId, el, number } from "../dom.js";
import { announce } from "../notices.js";
import { counted } from "../text/numbers.js";
import { soundTitle, titleOf } from "./record.js";

export class SheetList {
  #isRenaming = false; // a title is being typed
  #drawings = 0;

  constructor(shelf) {
    this.shelf = shelf;
    this.dialog = byId("sheets-dialog");
    byId("sheets-open").addEventListener("click", () => this.open());
    byId("sheets-close").addEventListener("click", () => this.dialog.close());
    byId("sheets-new").addEventListener("click", () => this.#leaveTo(() => shelf.startNew()));
    this.dialog.addEventListener("keydown", (event) => this.#onKey(event));
    this.dialog.addEventListener("click", ({ target }) => target === this.dialog && target.close());
    shelf.onChange(() => this.dialog.open && !this.#isRenaming && this.draw());
  }

  async open() {
    this.#isRenaming = false;
    this.shelf.tabs.ask();
    await this.draw();
    this.dialog.showModal();
    const current = this.dialog.querySelector("[aria-current] .sheet-open");
    (current ?? byId("sheets-new")).focus();
  }

  /** Draw the list anew; the keyboard stays where it was. */
  async draw() {
    const drawing = ++this.#drawings;
    const heads = await this.shelf.heads();
    if (drawing !== this.#drawings) return; // one that was asked for later is under way
    const focused = document.activeElement?.dataset ?? {};
    const there = heads.filter(({ deleted }) => deleted === null);
    const gone = heads.filter(({ deleted }) => deleted !== null);
    byId("sheets-list").replaceChildren(...there.map((head) => this.#row(head)));
    byId("sheets-deleted-list").replaceChildren(...gone.map((head) => this.#deletedRow(head)));
    byId("sheets-deleted").hidden = gone.length === 0;
    byId("sheets-none").hidden = there.length > 0;
    this.#focus(focused.act, focused.of);
  }

  #row(head) {
    const { id, firstLine, title } = head;
    const isCurrent = id === this.shelf.keeper.head.id;
    const facts = [isCurrent ? "open here" : "", when(head.changed), characters(head.length)];
    if (this.shelf.tabs.isElsewhere(id)) facts.push("open in another tab");
    const link = el(
      "a",
      { href: `#sheet=${id}`, class: "sheet-open", "data-act": "open", "data-of": id },
      el("span", { class: "sheet-title" }, titleOf(head)),
      title && firstLine && !title.startsWith(firstLine)
        ? el("span", { class: "sheet-line" }, firstLine)
        : "",
      el("span", { class: "meaning" }, facts.filter(Boolean).join(" · ")),
    );
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // another tab or window
      event.preventDefault();
      this.#leaveTo(() => this.shelf.open(id));
    });
    return el(
      "li",
      { class: "sheet-row", "aria-current": isCurrent && "true" },
      link,
      this.#button("Rename", head, () => this.#startRenaming(head)),
      this.#button("Delete", head, () => this.#delete(head)),
    );
  }

  #deletedRow(head) {
    const { id } = head;
    const recover = async () => {
      await this.shelf.recover(id);
      announce(`${titleOf(head)} is back`);
      this.#focus("open", id);
    };
    return el(
      "li",
      { class: "sheet-row" },
      el(
        "span",
        { class: "sheet-open" },
        el("span", { class: "sheet-title" }, titleOf(head)),
        el(
          "span",
          { class: "meaning" },
          `deleted ${when(head.deleted)} · ${characters(head.length)}`,
        ),
      ),
      this.#button("Recover", head, recover),
    );
  }

  #button(label, head, act) {
    const name = `${label} ${titleOf(head)}`;
    const about = { type: "button", class: "quiet", "aria-label": name, onclick: act };
    return el("button", { ...about, "data-act": label, "data-of": head.id }, label);
  }

  #titleForm(head) {
    const input = el("input", { value: titleOf(head), maxlength: 100, "aria-label": "Title" });
    const end = async (title) => {
      this.#isRenaming = false;
      if (title !== undefined) await this.shelf.rename(head.id, title);
      await this.draw();
      this.#focus("Rename", head.id);
    };
    input.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.isComposing) return;
      event.preventDefault();
      event.stopPropagation();
      end();
    });
    const save = (event) => (event.preventDefault(), end(soundTitle(input.value)));
    const form = el("form", { class: "sheet-naming", onsubmit: save }, input);
    form.append(el("button", { type: "submit" }, "Use this title"));
    return form;
  }

  #startRenaming(head) {
    this.#isRenaming = true;
    const row = document.activeElement.closest("li");
    row.replaceChildren(this.#titleForm(head));
    row.querySelector("input").select();
  }

  async #delete(head) {
    const rows = [...byId("sheets-list").children];
    const at = rows.findIndex((row) => row.querySelector(`[data-of="${head.id}"]`));
    await this.shelf.delete(head.id);
    await this.draw();
    announce(`${titleOf(head)} is deleted; it can be recovered for thirty days`);
    const next = byId("sheets-list").children[at] ?? byId("sheets-list").lastChild;
    (next?.querySelector(".sheet-open") ?? byId("sheets-new")).focus();
  }

  async #leaveTo(act) {
    this.dialog.close();
    await act();
    this.shelf.sheet.area.focus();
  }

  #focus(act, id) {
    if (act) this.dialog.querySelector(`[data-act="${act}"][data-of="${id}"]`)?.focus();
  }

  /** The arrow keys go from sheet to sheet. */
  #onKey(event) {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!step || event.target.tagName === "INPUT") return;
    const links = [...byId("sheets-list").querySelectorAll("a")];
    const at = links.findIndex((link) => link.closest("li").contains(document.activeElement));
    event.preventDefault();
    links[Math.min(Math.max(at + step, 0), links.length - 1)]?.focus();
  }
}

const characters = (length) => counted(number(length), "character");

/** The time of today, the day of this year, or the date. */
function when(at) {
  const [then, now] = [new Date(at), new Date()];
  if (then.toDateString() === now.toDateString())
    return then.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const year = then.getFullYear() === now.getFullYear() ? undefined : "numeric";
  return then.toLocaleDateString("en", { day: "numeric", month: "short", year });
}
