// The page at /docs: Swagger UI over /openapi.json. What it sends goes to this service alone: the policy in ../_headers allows
// no other, and nothing inline.
import SwaggerUIBundle from "swagger-ui-dist/swagger-ui-es-bundle.js";
import "swagger-ui-dist/swagger-ui.css";
import { THEME_CHANGED } from "../src/theme.ts";
import "./style.css";

const { classList, dataset } = document.documentElement;
const dress = () => classList.toggle("dark-mode", dataset.theme === "dark");
addEventListener(THEME_CHANGED, dress);
dress();

// HEAD answers as GET does, and OPTIONS is asked by browsers: twenty entries that say nothing. And from 138 on, this version of
// Swagger UI shows ten operations and no more.
const description = await (await fetch("/openapi.json")).json();
for (const item of Object.values(description.paths)) {
  delete item.head;
  delete item.options;
}

SwaggerUIBundle({
  spec: description,
  dom_id: "#reference",
  layout: "BaseLayout",
  deepLinking: true,
  filter: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: -1, // operations show the schemas that they use; a list of all is 100 more headings
  persistAuthorization: false, // a key is forgotten with the page
  validatorUrl: null, // it would ask another host
});
