// The page of the REST API: its description, and calls that are made as whoever is signed in.
import SwaggerUI from "swagger-ui-dist/swagger-ui-es-bundle.js";

interface Call {
  url: string;
  method?: string;
  headers: Record<string, string>;
}

const place = document.querySelector<HTMLElement>("#rest-docs");
const proof = document.querySelector<HTMLInputElement>("#rest-docs-form input[name=csrfmiddlewaretoken]");
const root = document.documentElement;

// Calls by the session need the proof of origin; those with a token of one's own do without.
function proven(call: Call): Call {
  const own = new URL(call.url, location.href).origin === location.origin;
  const writes = !["GET", "HEAD"].includes((call.method ?? "GET").toUpperCase());
  if (own && writes && proof && !("Authorization" in call.headers)) call.headers["X-CSRFToken"] = proof.value;
  return call;
}

function follow(): void {
  root.classList.toggle("dark-mode", root.dataset.bsTheme === "dark");
}

if (place) {
  follow();
  new MutationObserver(follow).observe(root, { attributeFilter: ["data-bs-theme"] });
  SwaggerUI({
    domNode: place,
    url: place.dataset.schema,
    docExpansion: "none",
    defaultModelsExpandDepth: -1,
    deepLinking: true,
    displayRequestDuration: true,
    filter: true,
    tryItOutEnabled: true,
    validatorUrl: null,
    requestInterceptor: proven,
    showMutatedRequest: false,
  });
}
