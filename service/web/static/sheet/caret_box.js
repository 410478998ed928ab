// Where a position of the text is on the screen, by the ink's letters.

/** A DOMRect of no width at a position of the sheet's text. */
export function caretBox(sheet, position) {
  sheet.ink.draw();
  const before = sheet.manuscript.text.slice(0, position).split("\n");
  const line = sheet.ink.node.children[before.length - 1];
  let left = before.at(-1).length;
  const letters = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
  while (letters.nextNode()) {
    const { currentNode } = letters;
    if (left > currentNode.length) left -= currentNode.length;
    else {
      const range = new Range();
      range.setStart(currentNode, left);
      return range.getBoundingClientRect();
    }
  }
  const { x, y, height } = line.getBoundingClientRect();
  return new DOMRect(x, y, 0, height);
}
