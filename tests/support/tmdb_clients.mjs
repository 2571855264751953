// Calls each route of the TMDB stand-in (a local imitation of TMDB) with two client libraries, and
// compares what they return with a film of the stand-in. A difference ends the program with 1.
//
// Usage: node tmdb_clients.mjs ADDRESS KEY FILM, where FILM is JSON: see test_npm_clients.py.

import assert from "node:assert/strict";
import { createRequire } from "node:module";

const [address, key, text] = process.argv.slice(2);
const film = JSON.parse(text);
// Both packages are installed beside the working folder, not beside this file.
const fromWorkingFolder = createRequire(`${process.cwd()}/`);
const { MovieDb } = fromWorkingFolder("moviedb-promise");
const { TMDB } = fromWorkingFolder("tmdb-ts");

function toStandIn(url, options) {
  return fetch(String(url).replace("https://api.themoviedb.org", address), options);
}

async function moviedbPromise() {
  const client = new MovieDb(key, `${address}/3/`);
  for (const list of ["moviePopular", "movieTopRated", "movieNowPlaying", "upcomingMovies"]) {
    assert((await client[list]({ region: "US" })).results.length > 0, list);
  }
  assert((await client.changedMovies()).results.length > 0);
  const found = await client.discoverMovie({ primary_release_year: 2019, page: 2 });
  assert.equal(found.page, 2);
  assert(found.results.every((each) => each.release_date.startsWith("2019")));
  const byTitle = await client.searchMovie({ query: film.title });
  assert(byTitle.results.some((each) => each.id === film.id));
  assert((await client.searchPerson({ query: film.actor.name })).results[0].known_for.length > 0);
  assert.equal((await client.genreMovieList()).genres.length, 19);
  assert((await client.configuration()).images.poster_sizes.length > 0);
  assert((await client.languages()).length > 150);

  for (const id of [film.id, film.imdb_id]) {
    const whole = await client.movieInfo({ id, append_to_response: film.parts.join(",") });
    assert.equal(whole.title, film.title);
    for (const part of film.parts) assert(whole[part], part);
  }
  const parts = ["Credits", "ExternalIds", "Keywords", "ReleaseDates", "Translations", "Images", "Videos"];
  for (const part of parts) {
    assert.equal((await client[`movie${part}`](film.id)).id, film.id, part);
  }
  assert.equal((await client.personInfo(film.actor.id)).name, film.actor.name);
  assert((await client.personMovieCredits(film.actor.id)).cast.length > 0);
  assert.equal((await client.personExternalIds(film.actor.id)).imdb_id, null);
  assert.deepEqual((await client.personImages(film.actor.id)).profiles, []);

  const refused = await client.movieInfo(1).then(() => null, (error) => error.response);
  assert.deepEqual([refused.status, refused.data.status_code], [404, 34]);
}

async function tmdbTs() {
  const client = new TMDB(film.token, { fetch: toStandIn });
  for (const list of ["popular", "topRated", "nowPlaying", "upcoming"]) {
    assert((await client.movies[list]({ page: 1 })).results.length > 0, list);
  }
  assert((await client.changes.movies({ page: 1 })).results.length > 0);
  const found = await client.discover.movie({ primary_release_year: 2019, region: "US" });
  assert(found.results.every((each) => each.release_date.startsWith("2019")));
  const byTitle = await client.search.movies({ query: film.title });
  assert(byTitle.results.some((each) => each.id === film.id));
  assert((await client.search.people({ query: film.actor.name })).results.length > 0);
  assert.equal((await client.genres.movies()).genres.length, 19);
  assert((await client.configuration.getApiConfiguration()).images.base_url);
  assert((await client.configuration.getLanguages()).length > 150);

  const whole = await client.movies.details(film.id, film.parts);
  assert.deepEqual([whole.title, whole.imdb_id], [film.title, film.imdb_id]);
  for (const part of film.parts) assert(whole[part], part);
  const parts = ["credits", "externalIds", "keywords", "releaseDates", "translations", "images", "videos"];
  for (const part of parts) {
    assert.equal((await client.movies[part](film.id)).id, film.id, part);
  }
  assert.equal((await client.people.details(film.actor.id)).name, film.actor.name);
  assert((await client.people.movieCredits(film.actor.id)).cast.length > 0);
  assert.equal((await client.people.externalId(film.actor.id)).imdb_id, null);
  assert.deepEqual((await client.people.images(film.actor.id)).profiles, []);

  const refused = await client.movies.details(1).then(() => null, (error) => error);
  assert.equal(refused.status_code, 34);
}

await { "moviedb-promise": moviedbPromise, "tmdb-ts": tmdbTs }[film.library]();
