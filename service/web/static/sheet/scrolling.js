// Keeps the end of the sheet in sight while the machine writes there, until the reader goes back;
// scrolling down to the end again resumes it.

const NEAR = 60; // pixels; the end moves on while one scrolls to it

export class EndInSight {
  #top = 0; // where the scroller was last
  #isFollowed = false;
  #hasLeft = false;

  constructor(scroller) {
    this.scroller = scroller;
    const passive = { passive: true };
    scroller.addEventListener("scroll", () => this.#onScroll(), passive);
    scroller.addEventListener("wheel", ({ deltaY }) => this.go(deltaY), passive);
  }

  /** Keep the end in sight from now on, or no longer. */
  follow(isFollowed) {
    this.#isFollowed = isFollowed;
    this.#hasLeft = false;
    this.keep();
  }

  /** The reader goes back (below 0) or on, whether or not that scrolls. */
  go(direction) {
    if (direction < 0) this.#hasLeft = true;
    if (direction > 0 && this.#distance < NEAR) this.#hasLeft = false;
  }

  /** The text has changed. */
  keep() {
    const { scroller } = this;
    if (this.#isFollowed && !this.#hasLeft) scroller.scrollTop = scroller.scrollHeight;
    this.note();
  }

  /** What has scrolled was not the reader. */
  note() {
    this.#top = this.scroller.scrollTop;
  }

  get #distance() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    return scrollHeight - scrollTop - clientHeight;
  }

  #onScroll() {
    const { scrollTop } = this.scroller;
    const isCutShort = this.#distance <= 1; // text was taken away, or the window has grown
    if (scrollTop < this.#top && !isCutShort) this.go(-1);
    if (scrollTop > this.#top) this.go(1);
    this.note();
  }
}
