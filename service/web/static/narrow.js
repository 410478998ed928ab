// What a small window needs beside its styles: drawers that close when something in them was chosen, the
// settings as a page of their own, one button for Continue and Stop, and room for a keyboard on the screen.

import { byId, isUsable } from "./dom.js";

export function fitSmallWindows() {
  for (const drawer of document.querySelectorAll(".drawer")) {
    drawer.addEventListener("click", ({ target }) => {
      if (target.closest("button") && !target.closest("[data-stays]")) closeDrawer(drawer);
    });
  }
  byId("settings-toggle").addEventListener("click", toggleSettings);
  byId("settings-close").addEventListener("click", toggleSettings);
  byId("settings").addEventListener("keydown", ({ key }) => {
    if (key === "Escape" && isSettingsOpen()) toggleSettings();
  });
  const observer = new MutationObserver(shareFocus);
  observer.observe(byId("stop"), { attributeFilter: ["aria-disabled"] });
  visualViewport?.addEventListener("resize", leaveRoomForKeyboard);
}

/** The group of the settings that holds an element is in sight, in a small window as well. */
export function showSetting(element) {
  if (getComputedStyle(byId("settings")).display === "none") toggleSettings();
  element.scrollIntoView({ block: "nearest" });
}

/** The sheet is in sight, in a small window as well. */
export function hideSettings() {
  if (isSettingsOpen()) toggleSettings();
}

const isSettingsOpen = () => document.body.classList.contains("settings-open");

function toggleSettings() {
  const isOpen = document.body.classList.toggle("settings-open");
  byId("settings-toggle").setAttribute("aria-expanded", String(isOpen));
  byId(isOpen ? "settings-close" : "settings-toggle").focus();
}

function closeDrawer(drawer) {
  if (drawer.matches(":popover-open")) drawer.hidePopover();
}

/** In a small window one of Continue and Stop is there: the keyboard goes on with the other. */
function shareFocus() {
  const isWriting = isUsable(byId("stop"));
  const [gone, there] = isWriting ? ["continue", "stop"] : ["stop", "continue"];
  const isNarrow = getComputedStyle(byId("more-toggle")).display !== "none";
  if (isNarrow && document.activeElement === byId(gone)) byId(there).focus();
}

/** Make room for a keyboard that covers the page instead of making it smaller (interactive-widget). */
function leaveRoomForKeyboard() {
  if (visualViewport.scale > 1.01) return; // zoomed: a part of the page is seen, on purpose
  const isCovered = innerHeight - visualViewport.height > 60;
  const height = isCovered ? `${visualViewport.height}px` : "";
  document.body.style.setProperty("--seen-height", height);
}
