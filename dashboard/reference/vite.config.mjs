// Builds the page at /docs to build/assets/docs.html and build/assets/docs/. By itself, so that the dashboard carries none of it.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "vite";

const here = import.meta.dirname;
const out = join(here, "../../build/assets");

/** Vite would empty the whole folder, and the dashboard is in it. */
const emptied = { name: "emptied", buildStart: () => rmSync(join(out, "docs"), { recursive: true, force: true }) };

export default defineConfig({
  root: here,
  base: "/",
  publicDir: false,
  plugins: [emptied],
  build: {
    outDir: out,
    emptyOutDir: false,
    assetsDir: "docs",
    assetsInlineLimit: 0, // a data: URL would need a hole in the policy
    modulePreload: { polyfill: false },
    target: "es2023",
    reportCompressedSize: false,
    chunkSizeWarningLimit: 2000, // Swagger UI is one file of 1.5 MB, 426 KB gzipped
    rolldownOptions: { input: join(here, "docs.html"), checks: { pluginTimings: false } },
  },
  logLevel: "warn",
});
