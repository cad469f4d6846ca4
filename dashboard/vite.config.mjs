// Builds the page to build/assets/dashboard, which the Worker's assets binding serves.
import { copyFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "vite";
import { world } from "./world.mjs";

const here = import.meta.dirname;
const out = join(here, "../build/assets/dashboard");

/** Each page has an address of its own, at which the same document answers; which page it is, the script reads from it. */
function addresses() {
  return {
    name: "addresses",
    closeBundle() {
      for (const file of readdirSync(join(here, "src/pages"))) {
        const name = file.replace(/\.tsx$/, "");
        if (name !== "overview") copyFileSync(join(out, "index.html"), join(out, `${name}.html`));
      }
      copyFileSync(join(here, "_headers"), join(out, "../_headers"));
    },
  };
}

export default defineConfig({
  root: here,
  base: "/dashboard/",
  plugins: [world(), addresses()],
  build: {
    outDir: out,
    emptyOutDir: true,
    assetsDir: "files",
    assetsInlineLimit: 0, // a data: URL would need a hole in the policy
    modulePreload: { polyfill: false },
    target: "es2023",
    reportCompressedSize: false,
  },
  logLevel: "warn",
});
