import { useState } from "preact/hooks";
import type { Refused } from "./api.ts";
import { type Session, signIn } from "./session.ts";
import { Icon } from "./ui/icon.tsx";

export function SignIn({ signedIn }: { signedIn: (session: Session) => void }) {
  const [key, setKey] = useState("");
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError("");
    try {
      signedIn(await signIn(key));
    } catch (refused) {
      const { problem } = refused as Refused;
      setError(problem.status === 401 ? "No such key is in force." : problem.detail);
      setBusy(false);
    }
  };
  return (
    <main class="lone">
      <form class="card sign-in" onSubmit={submit}>
        <p class="brand"><Icon name="brand" /> clicktrail</p>
        <h1>Sign in</h1>
        <label>
          API key
          <input type="password" name="key" required autocomplete="current-password" autoFocus value={key} onInput={(event) => setKey(event.currentTarget.value)} aria-describedby={error ? "sign-in-error" : "sign-in-hint"} aria-invalid={error !== ""} />
        </label>
        {error ? <p id="sign-in-error" class="error" role="alert">{error}</p> : null}
        <button class="primary" disabled={busy}>{busy ? "Signing in…" : "Sign in"}</button>
        <p id="sign-in-hint" class="hint">The key itself is not kept in this browser. Under <code>make dev</code> it is <code>dev</code>; elsewhere the secret <code>ADMIN_TOKEN</code>, or a key made under Settings.</p>
      </form>
    </main>
  );
}
