// One line that says what was done, and goes away by itself.
import { useEffect, useState } from "preact/hooks";

let show: (text: string) => void = () => {};

export function toast(text: string): void {
  show(text);
}

export function Toasts() {
  const [text, setText] = useState("");
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    show = (text) => {
      setText(text);
      clearTimeout(timer);
      timer = setTimeout(() => setText(""), 5_000);
    };
    return () => clearTimeout(timer);
  }, []);
  return <div class="toasts" role="status" aria-live="polite">{text ? <p>{text}</p> : null}</div>;
}

export async function copy(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toast(`${what} copied`);
  } catch {
    toast(text);
  }
}
