/*
 * Stands where xterm.js would make a <style> element, which the page's
 * Content-Security-Policy does not let count (vite.config.ts puts it there):
 * what is written into it becomes a constructed style sheet.
 */
export function styleSheetElement(): HTMLElement {
  const element = document.createElement('span');
  const sheet = new CSSStyleSheet();
  element.hidden = true;
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  Object.defineProperty(element, 'textContent', {
    set: (text: string) => sheet.replaceSync(text),
  });
  element.remove = () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((one) => one !== sheet);
    HTMLElement.prototype.remove.call(element);
  };
  return element;
}
