// Before the first paint, so that a page in the dark does not begin with a flash of white.
const key = "theme";

export type Theme = "auto" | "light" | "dark";

export function theme(): Theme {
  const kept = localStorage.getItem(key);
  return kept === "light" || kept === "dark" ? kept : "auto";
}

export function setTheme(theme: Theme): void {
  if (theme === "auto") localStorage.removeItem(key);
  else localStorage.setItem(key, theme);
  apply();
}

/** Charts draw on a canvas, which no style sheet reaches: they listen for this. */
export const THEME_CHANGED = "theme-changed";

function apply(): void {
  const wanted = theme();
  const dark = wanted === "dark" || (wanted === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  dispatchEvent(new Event(THEME_CHANGED));
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", apply);
apply();
