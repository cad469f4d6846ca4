// The browser's own dialog: it keeps the focus, and closes with Escape.
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { Icon } from "./icon.tsx";

export function Dialog({ title, close, children, wide }: { title: string; close: () => void; children: ComponentChildren; wide?: boolean }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    <dialog ref={dialog} class={wide ? "wide" : ""} aria-labelledby={heading} onClose={close} onClick={(event) => event.target === dialog.current && close()}>
      <header>
        <h2 id={heading}>{title}</h2>
        <button type="button" class="icon" aria-label="Close" onClick={close}><Icon name="close" /></button>
      </header>
      {children}
    </dialog>
  );
}
