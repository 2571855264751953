// Calls every route of the API with the client of openapi-fetch, which checks each call against the
// types that openapi-typescript generated: `node every_route.mts URL` prints one line per call.

import createClient from "openapi-fetch";
import type { paths } from "./api.d.ts";

declare const process: { argv: string[] };

const client = createClient<paths>({ baseUrl: process.argv[2] });
const codes = { runtime: 112, genre_encoded: 0, lang_encoded: 0, sentiment: 0.1, overview_len: 240 };

const answers = {
  "POST /v1/predict": await client.POST("/v1/predict", { body: { genres: ["Drama"] } }),
  "POST /predict": await client.POST("/predict", {
    body: { overview: "Two cooks share a tiny kitchen." },
    params: { query: { explain: false } },
  }),
  "GET /v1/predict": await client.GET("/v1/predict", { params: { query: codes } }),
  "GET /predict": await client.GET("/predict", { params: { query: codes } }),
  "POST /v1/predict/batch": await client.POST("/v1/predict/batch", {
    body: { films: [{ genres: ["Drama"], runtime: 112 }, { genres: ["Horror"] }] },
  }),
  "GET /v1/options": await client.GET("/v1/options"),
  "GET /v1/people": await client.GET("/v1/people", { params: { query: { q: "a" } } }),
  "GET /v1/films": await client.GET("/v1/films", { params: { query: { q: "lantern" } } }),
  "GET /v1/films/{film_id}": await client.GET("/v1/films/{film_id}", {
    params: { path: { film_id: 1 } },
  }),
  "GET /v1/ratings": await client.GET("/v1/ratings"),
  "GET /v1/evidence": await client.GET("/v1/evidence"),
  "GET /v1/card": await client.GET("/v1/card", { parseAs: "text" }),
  "GET /v1/version": await client.GET("/v1/version"),
  "GET /v1/forecasts": await client.GET("/v1/forecasts", {
    params: { query: { sort: "-rating", limit: 2 } },
  }),
  "GET /v1/forecasts.atom": await client.GET("/v1/forecasts.atom", { parseAs: "text" }),
  "GET /v1/forecasts.ics": await client.GET("/v1/forecasts.ics", {
    params: { query: { opened: "next_month" } },
    parseAs: "text",
  }),
  "GET /v1/track-record": await client.GET("/v1/track-record"),
  "GET /v1/track-record/films": await client.GET("/v1/track-record/films", {
    params: { query: { search: "lantern", state: "waiting" } },
  }),
  "GET /v1/history": await client.GET("/v1/history"),
  "GET /v1/metrics": await client.GET("/v1/metrics", { parseAs: "text" }),
  "GET /livez": await client.GET("/livez"),
  "GET /readyz": await client.GET("/readyz"),
};

for (const [call, answer] of Object.entries(answers)) {
  console.log(`${call} ${answer.response.status}`);
}

const refused = await client.POST("/v1/predict", { body: { genres: ["Drama"], runtime: -1 } });
console.log(`refused ${refused.error?.errors?.map((each) => each.code).join()}`);

const rating: number | undefined = answers["POST /v1/predict"].data?.rating;
console.log(`rating ${rating}`);
