// What stands where there is nothing to show: yet, at all, or because something is wrong.
import type { ComponentChildren } from "preact";
import type { Refused } from "../api.ts";

export function Waiting({ lines = 3 }: { lines?: number }) {
  return (
    <div class="waiting" role="status" aria-label="Loading">
      {Array.from({ length: lines }, (_, line) => <span key={line} />)}
    </div>
  );
}

export function Failure({ error, again }: { error: Refused; again?: () => void }) {
  const { problem } = error;
  return (
    <div class="failure" role="alert">
      <strong>{problem.title}</strong>
      <p>{problem.detail}</p>
      {again ? <button type="button" onClick={again}>Try again</button> : null}
    </div>
  );
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <div class="nothing">{children}</div>;
}
