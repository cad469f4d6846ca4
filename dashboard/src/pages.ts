// The pages: one file each in pages/, found by being there.
import type { ComponentType, VNode } from "preact";
import type { Session } from "./session.ts";

export interface Page {
  title: string;
  /** Where it stands in the navigation; without it the page is reached from others. */
  nav?: { group: "Look" | "Make" | "Run"; order: number; icon: string };
  /** What a key needs to see it. */
  scope?: string;
}

export interface PageProps {
  params: URLSearchParams;
  session: Session;
}

interface Module {
  page: Page;
  default: ComponentType<PageProps> | ((props: PageProps) => VNode);
}

const modules = import.meta.glob<Module>("./pages/*.tsx", { eager: true });

export const pages = new Map(Object.entries(modules).map(([file, module]) => [file.slice("./pages/".length, -".tsx".length), module] as const));

export const GROUPS = ["Look", "Make", "Run"] as const;

export function navigation(group: string): [string, Page][] {
  return [...pages]
    .map(([name, { page }]) => [name, page] as [string, Page])
    .filter(([, page]) => page.nav?.group === group)
    .sort(([, a], [, b]) => (a.nav?.order ?? 0) - (b.nav?.order ?? 0));
}
