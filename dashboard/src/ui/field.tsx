// A labelled input, what to write into it, and what is wrong with it.
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

interface Props {
  label: string;
  value: string;
  set: (value: string) => void;
  hint?: ComponentChildren;
  error?: string | undefined;
  type?: "text" | "url" | "number" | "password" | "date" | "datetime-local";
  placeholder?: string;
  required?: boolean;
  disabled?: boolean;
  list?: string;
}

export function Field({ label, value, set, hint, error, type = "text", ...rest }: Props) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input id={id} type={type as "text"} value={value} onInput={({ currentTarget }) => set(currentTarget.value)} aria-invalid={error !== undefined} aria-describedby={error || hint ? `${id}-said` : undefined} {...rest} />
      {error ? <p id={`${id}-said`} class="error">{error}</p> : hint ? <p id={`${id}-said`} class="hint">{hint}</p> : null}
    </div>
  );
}

export function Choice({ label, value, set, options }: { label: string; value: string; set: (value: string) => void; options: readonly (readonly [string, string])[] }) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={({ currentTarget }) => set(currentTarget.value)}>
        {options.map(([name, text]) => <option key={name} value={name}>{text}</option>)}
      </select>
    </div>
  );
}
