// docs/openapi.json, and whether an answer is one of those that it describes.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import formats from "ajv-formats";
import { Ajv2020 } from "ajv/dist/2020.js";

const METHODS = ["get", "put", "post", "delete", "options", "head", "patch"];

export const description = JSON.parse(readFileSync(join(import.meta.dirname, "../../docs/openapi.json"), "utf8"));

const ajv = new Ajv2020({ strict: false, validateFormats: true, schemas: { "openapi.json": description } });
formats.default(ajv);

/** What is wrong with a value, by the schema at a path of the description; nothing if it is right. */
export function flaw(value: unknown, at: string[]): string | undefined {
  const pointer = at.map((part) => encodeURIComponent(part.replaceAll("~", "~0").replaceAll("/", "~1"))).join("/");
  const validate = ajv.getSchema(`openapi.json#/${pointer}`);
  if (validate === undefined) throw new Error(`no schema at ${pointer}`);
  if (validate(value)) return undefined;
  const said = validate.errors?.map(({ instancePath, message, params }) => `${instancePath || "/"} ${message} ${JSON.stringify(params)}`);
  return [...new Set(said)].slice(0, 4).join("; ");
}

/** What stands at a path, behind references; and the path where it really stands. */
export function at(...path: string[]): [any, string[]] {
  const found = path.reduce((value, name) => value?.[name], description);
  return typeof found?.$ref === "string" ? at(...found.$ref.slice(2).split("/")) : [found, path];
}

const templates = Object.keys(description.paths)
  .map((template) => {
    const literal = template.split(/\{\w+\}/);
    const escaped = literal.map((text) => encodeURI(text).replace(/[.*+?^$()|[\]\\]/g, "\\$&"));
    return { template, literal: literal.join(""), shape: new RegExp(`^${escaped.join("[^/]+")}$`, "i") };
  })
  .sort((a, b) => b.literal.length - a.literal.length);

/** The template of a path: of several the most literal. */
export function templateOf(path: string): string | undefined {
  return templates.find(({ shape }) => shape.test(path))?.template;
}

export function methodsOf(template: string): string[] {
  return METHODS.filter((method) => description.paths[template][method] !== undefined);
}

/** Throws unless the description has this answer: its status, its headers, its media type, its body to the last field. */
export async function conforms(method: string, url: string, response: Response): Promise<void> {
  const template = templateOf(new URL(url).pathname);
  const wrong = await flawOf(template, method.toLowerCase(), response);
  if (wrong !== undefined) {
    throw new Error(`docs/openapi.json does not know this answer: ${method} ${template ?? url} -> ${response.status}: ${wrong}`);
  }
}

async function flawOf(template: string | undefined, method: string, response: Response): Promise<string | undefined> {
  const methods = template === undefined ? [] : methodsOf(template);
  const known = template !== undefined && methods.includes(method);
  // What is not described is not there, and says so; before it tells whoever must not know, it asks for the key.
  const refusals: Record<number, string> = { 401: "Unauthenticated", 403: "Forbidden", ...(template === undefined ? { 404: "NotFound" } : { 405: "MethodNotAllowed" }) };
  const refusal = refusals[response.status];
  if (!known && refusal === undefined) return "there should be nothing";
  const type = response.headers.get("content-type")?.split(";")[0];
  const [described, path] = known ? at("paths", template, method, "responses", String(response.status)) : at("components", "responses", refusal + (type === "text/html" ? "Page" : ""));
  if (described === undefined) return "the status is not listed";
  if (!known && response.status === 405) {
    // Not all of them where it depends: a link without a password takes no form.
    const allowed = response.headers.get("allow")?.toLowerCase().split(", ") ?? [];
    if (!allowed.length || allowed.some((name) => !methods.includes(name))) return `Allow is ${allowed}, but described are ${methods}`;
  }

  for (const name of Object.keys(described.headers ?? {})) {
    const [header, headerPath] = at(...path, "headers", name);
    const value = response.headers.get(name);
    const wrong = value === null ? header.required && "is missing" : flaw(value, [...headerPath, "schema"]);
    if (wrong) return `header ${name}: ${wrong}`;
  }

  const body = method === "head" ? "" : await response.clone().text();
  if (described.content === undefined) return body === "" ? undefined : "there should be no body";
  if (type === undefined || described.content[type] === undefined) return `the type is ${type}`;
  if (method === "head" || !/[/+]json$/.test(type)) return undefined;
  const value = JSON.parse(body);
  if (type === "application/problem+json" && value.status !== response.status) return `the problem's status is ${value.status}`;
  return flaw(value, [...path, "content", type, "schema"]);
}
