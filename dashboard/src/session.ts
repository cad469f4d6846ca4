// Who is signed in, and what they may do.
import { ask } from "./api.ts";

export interface Session {
  name: string;
  scopes: string[];
  expires_at: string | null;
}

/** Nobody, if there is no name. */
export const current = async () => {
  const session = await ask<Session | { name: null }>("/api/session");
  return session.name === null ? null : session;
};
export const signIn = (key: string) => ask<Session>("/api/session", { body: { key } });
export const signOut = () => ask<void>("/api/session", { method: "DELETE" });

/** The service decides; this only spares people buttons that would be refused. */
export function may(session: Session | undefined, scope: string | undefined): boolean {
  return scope === undefined || (session?.scopes.includes(scope) ?? false);
}
