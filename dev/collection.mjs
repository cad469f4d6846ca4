// npm run collection [-- --check]: docs/openapi.json as a Postman collection (format 2.1, which Bruno, Insomnia and Hoppscotch read too).
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const file = join(root, "clients/postman/clicktrail.postman_collection.json");
const description = JSON.parse(readFileSync(join(root, "docs/openapi.json"), "utf8"));
// HEAD and preflights are what programs send.
const METHODS = ["get", "post", "put", "patch", "delete"];

/** What stands behind a reference. */
function resolved(value) {
  if (typeof value?.$ref !== "string") return value;
  return resolved(value.$ref.slice(2).split("/").reduce((at, name) => at[name.replaceAll("~1", "/").replaceAll("~0", "~")], description));
}

/** A value that a schema allows: its example, or what it cannot do without. */
function sample(schema, depth = 0) {
  schema = resolved(schema) ?? {};
  for (const said of [schema.example, schema.examples?.[0], schema.const, schema.default, schema.enum?.[0]]) {
    if (said !== undefined) return said;
  }
  const [choice] = schema.oneOf ?? schema.anyOf ?? [];
  if (choice !== undefined) return sample(choice, depth);
  if (schema.allOf !== undefined) return Object.assign({}, ...schema.allOf.map((part) => sample(part, depth)));
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  if (type === "object" || schema.properties !== undefined) {
    const names = depth > 4 ? [] : (schema.required ?? []);
    return Object.fromEntries(names.map((name) => [name, sample(schema.properties?.[name], depth + 1)]));
  }
  if (type === "array") return depth > 4 ? [] : [sample(schema.items, depth + 1)];
  if (type === "integer" || type === "number") return schema.minimum ?? 1;
  if (type === "boolean") return true;
  return schema.format === "uri" ? "https://example.com/" : "text";
}

function text(value) {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function parameter(given) {
  const { name, description, required, example, schema } = resolved(given);
  const value = example ?? sample(schema);
  return { key: name, value: text(value), ...(description ? { description } : {}), ...(required ? {} : { disabled: true }) };
}

function bodyOf(operation) {
  const content = resolved(operation.requestBody)?.content ?? {};
  const [type, media] = Object.entries(content).find(([type]) => type === "application/json") ?? Object.entries(content)[0] ?? [];
  if (type === undefined) return undefined;
  const value = media.example ?? resolved(Object.values(media.examples ?? {})[0])?.value ?? sample(media.schema);
  if (type === "application/x-www-form-urlencoded") {
    return { type, body: { mode: "urlencoded", urlencoded: Object.entries(value).map(([key, field]) => ({ key, value: text(field) })) } };
  }
  const raw = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  return { type, body: { mode: "raw", raw, ...(type === "application/json" ? { options: { raw: { language: "json" } } } : {}) } };
}

function request(path, method) {
  const operation = description.paths[path][method];
  const parameters = [...(description.paths[path].parameters ?? []), ...(operation.parameters ?? [])].map(resolved);
  const placed = (where) => parameters.filter((one) => one.in === where).map(parameter);
  const segments = path.slice(1).split("/").map((segment) => segment.replace(/\{(\w+)\}/g, ":$1"));
  // A variable is a whole segment, so of `/r/{token}+` the value takes the plus.
  const suffix = /\}([^/]+)$/.exec(path)?.[1] ?? "";
  const sent = segments.map((segment) => (suffix && segment.endsWith(suffix) ? segment.slice(0, -suffix.length) : segment));
  const query = placed("query");
  const shown = query.filter(({ disabled }) => !disabled).map(({ key, value }) => `${key}=${encodeURIComponent(value)}`);
  const body = bodyOf(operation);
  return {
    name: operation.summary,
    request: {
      method: method.toUpperCase(),
      description: operation.description ?? "",
      ...(operation.security?.length === 0 ? { auth: { type: "noauth" } } : {}),
      header: [...placed("header"), ...(body ? [{ key: "content-type", value: body.type }] : [])],
      url: {
        raw: `{{base_url}}/${sent.join("/")}${shown.length ? `?${shown.join("&")}` : ""}`,
        host: ["{{base_url}}"],
        path: sent,
        query,
        variable: placed("path").map(({ disabled: _, value, ...rest }) => ({ ...rest, value: value + suffix })),
      },
      ...(body ? { body: body.body } : {}),
    },
    response: [],
  };
}

const operations = Object.keys(description.paths).flatMap((path) =>
  METHODS.filter((method) => description.paths[path][method]).map((method) => ({ tag: description.paths[path][method].tags[0], path, method })),
);
const collection = {
  info: {
    name: description.info.title,
    description: description.info.description,
    schema: "https://schema.getpostman.com/json/collection/v2.1.0/collection.json",
  },
  auth: { type: "bearer", bearer: [{ key: "token", value: "{{key}}", type: "string" }] },
  variable: [
    { key: "base_url", value: "http://127.0.0.1:8787" },
    { key: "key", value: "dev" },
  ],
  item: description.tags.map(({ name, description }) => ({
    name,
    description,
    item: operations.filter(({ tag }) => tag === name).map(({ path, method }) => request(path, method)),
  })),
};

const written = `${JSON.stringify(collection, null, 1)}\n`;
if (!process.argv.includes("--check")) writeFileSync(file, written);
else if (readFileSync(file, "utf8") !== written) {
  console.error("clients/postman is not what follows from docs/openapi.json: npm run collection");
  process.exit(1);
}
