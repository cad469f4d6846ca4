// What CONTRIBUTING.md tells of a release: `release.mjs 0.2.0` writes the number wherever one stands, `check v0.2.0`, `notes` and `pack FOLDER` are
// what .github/workflows/release.yml does with a tag.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(import.meta.dirname, "..");
const read = (path) => readFileSync(join(root, path), "utf8");

/** Of a lock file: what comes from no registry is the workspace's. */
const OURS = /(?<=\nname = "\w+"\nversion = ")[^"]+(?="\n(?!source))/g;
/** Of those with a workspace of their own. */
const CRATE = /(?<=\nname = "(?:analytics|durable_objects|links|queues)"\nversion = ")[^"]+/g;

/** Where a version stands. The first is the one that counts: `GET /metrics` tells it. */
const PLACES = [
  ["Cargo.toml", /(?<=\[workspace\.package\]\nversion = ")[^"]+/g],
  ["Cargo.lock", OURS],
  ["tests/accuracy/Cargo.lock", CRATE],
  ["tests/bots/Cargo.lock", CRATE],
  ["clients/typescript/package.json", /(?<="version": ")[^"]+/g],
  ["package-lock.json", /(?<="name": "@clicktrail\/client",\n\s*"version": ")[^"]+/g],
  ["examples/wordpress/clicktrail.php", /(?<= \* Version: )\S+/g],
];

/** Every version that is written somewhere, by file. */
export function versions() {
  return PLACES.map(([path, pattern]) => [path, [...new Set(read(path).match(pattern) ?? ["none"])].join(" and ")]);
}

/** What CHANGELOG.md says of a version, without its heading. */
export function notes(version, changelog = read("CHANGELOG.md")) {
  const section = changelog.split(/^(?=## )/m).find((part) => part.startsWith(`## ${version}`) && /^[,\n]/.test(part.slice(3 + version.length)));
  if (section === undefined) throw new Error(`CHANGELOG.md has no "## ${version}"`);
  const text = section.slice(section.indexOf("\n")).trim();
  if (text === "") throw new Error(`CHANGELOG.md says nothing of ${version}`);
  return text;
}

/** CHANGELOG.md with what was unreleased under the version's heading. */
export function released(changelog, version, day) {
  notes("Unreleased", changelog);
  return changelog.replace("## Unreleased\n", `## Unreleased\n\n## ${version}, ${day}\n`);
}

function set(version) {
  if (!/^\d+\.\d+\.\d+$/.test(version)) throw new Error(`${version} is no version such as 0.2.0`);
  const changelog = released(read("CHANGELOG.md"), version, new Date().toISOString().slice(0, 10));
  for (const [path, pattern] of PLACES) writeFileSync(join(root, path), read(path).replaceAll(pattern, version));
  writeFileSync(join(root, "CHANGELOG.md"), changelog);
}

function check(tag) {
  const found = versions();
  const wrong = found.filter(([, version]) => `v${version}` !== tag);
  if (wrong.length > 0) throw new Error(`${tag} is not what these say: ${wrong.map((place) => place.join(" ")).join(", ")}`);
  notes(found[0][1]);
}

/**
 * The files of a release: the sources of `tree` together with what was built from them, which `make serve` and `make deploy` take as it is, without
 * Rust; the plugin as WordPress installs it; the client as npm does; and their sums. Times in the archives are the commit's, so that whoever
 * builds the same bytes gets the same sums.
 */
export function pack(folder, tree = "HEAD") {
  const version = versions()[0][1];
  const name = `clicktrail-${version}`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const git = (...args) => execFileSync("git", args, { cwd: root });
  const built = readdirSync(join(root, "build"), { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile())
    .map((file) => join(file.parentPath, file.name).slice(root.length + 1).replaceAll("\\", "/"))
    .filter((path) => !/^build\/(\.|worker\/|release)/.test(path) || path.includes("/snippets/"))
    .sort();
  if (!built.includes("build/index_bg.wasm")) throw new Error("nothing is built: run make build");
  const added = built.flatMap((path) => [`--prefix=${name}/${path.slice(0, path.lastIndexOf("/"))}/`, `--add-file=${path}`]);
  git("archive", "--format=tar.gz", `--output=${join(folder, `${name}.tar.gz`)}`, ...added, `--prefix=${name}/`, `--add-virtual-file=${name}/build/.release:${version}`, tree);
  git("archive", "--format=zip", "--prefix=clicktrail/", `--output=${join(folder, `clicktrail-wordpress-${version}.zip`)}`, `${tree}:examples/wordpress`);
  const client = join(root, "clients/typescript");
  if (!readdirSync(client).includes("dist")) throw new Error("the client is not built: run npm run client");
  execFileSync("npm", ["pack", "--silent", "--pack-destination", folder], { cwd: client });
  const sums = readdirSync(folder).sort().map((file) => `${createHash("sha256").update(readFileSync(join(folder, file))).digest("hex")}  ${file}\n`);
  writeFileSync(join(folder, "SHA256SUMS"), sums.join(""));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [command = "", argument] = process.argv.slice(2);
  try {
    if (command === "check") check(argument ?? "");
    else if (command === "notes") console.log(notes(versions()[0][1]));
    else if (command === "pack") pack(join(process.cwd(), argument ?? "build/release"));
    else set(command);
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
