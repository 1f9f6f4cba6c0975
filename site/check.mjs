// `npm run docs:check`: what site/dist must hold. Prints each figure, and writes them with the date to benchmarks/results/site.json.

import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { pathToFileURL } from 'node:url';
import MiniSearch from 'minisearch';
import { parse } from 'node-html-parser';
import config from './.vitepress/config.mjs';
import { PAGES, ROOT } from './pages.mjs';

const DIST = join(ROOT, 'site/dist');
const BASE = process.env.DOCS_BASE ?? '/';
const RESULT = join(ROOT, 'benchmarks/results/site.json');
const QUERY = 'cold start';

/** Throws where something is not as it must be. `took`: the time of the build, where this follows one. */
export async function check(took) {
  const names = readdirSync(DIST, { recursive: true }).map((name) => name.replaceAll('\\', '/'));
  const pages = new Map(
    names
      .filter((name) => name.endsWith('.html') && name !== '404.html')
      .map((name) => [name, parse(readFileSync(join(DIST, name), 'utf8'))]),
  );
  const found = await search(names);
  const reached = reachable(pages);
  const { exports, without } = exportsWithoutPage(pages);
  const faults = {
    'broken links': brokenLinks(pages),
    'exports without a page': without,
    'pages that the sidebar does not reach': [...pages.keys()].filter((page) => !reached.has(page)),
    'addresses of other hosts that a page loads': foreign(pages, names),
    'what the search does not find': found.length > 0 ? [] : [QUERY],
  };
  const bytes = names.reduce((sum, name) => sum + statSync(join(DIST, name)).size, 0);
  console.log(`${pages.size} pages, ${(bytes / 2 ** 20).toFixed(1)} MiB, ${exports} exports`);
  if (took !== undefined) {
    console.log(
      `built in ${took.seconds} s with ${took.cpuSeconds} s of a core; load ${took.load.toFixed(1)} on ${took.cores} cores`,
    );
  }
  console.log(`a search for "${QUERY}" finds ${found.length} places, first: ${found.slice(0, 3).join(' | ')}`);
  for (const [what, list] of Object.entries(faults)) {
    console.log([`${what}: ${list.length}`, ...list.slice(0, 20)].join('\n  '));
  }
  const before = existsSync(RESULT) ? JSON.parse(readFileSync(RESULT, 'utf8')) : {};
  const counts = Object.fromEntries(Object.entries(faults).map(([what, list]) => [what, list.length]));
  const result = {
    date: new Date().toISOString().slice(0, 10),
    command: 'npm run docs',
    node: process.versions.node,
    build: took ?? before.build,
    pages: pages.size,
    bytes,
    exports,
    search: { query: QUERY, places: found.length, first: found[0] },
    ...counts,
  };
  writeFileSync(RESULT, `${JSON.stringify(result, undefined, 2)}\n`);
  if (Object.values(counts).some((count) => count > 0)) throw new Error('the site is not as it must be: see above');
}

/** The page of the site that a link of another leads to, with the anchor; undefined where it leaves the site. */
function target(page, href) {
  const url = new URL(href, `http://site${BASE}${page}`);
  if (url.host !== 'site') return undefined;
  const path = decodeURIComponent(url.pathname).slice(BASE.length);
  const file =
    path === '' || path.endsWith('/') ? `${path}index.html` : posix.extname(path) === '' ? `${path}.html` : path;
  return { file, anchor: decodeURIComponent(url.hash.slice(1)) };
}

const linksOf = (root, selector) => root.querySelectorAll(selector).map((a) => a.getAttribute('href'));

function brokenLinks(pages) {
  const anchors = new Map(
    [...pages].map(([page, root]) => [page, new Set(root.querySelectorAll('[id]').map(({ id }) => id))]),
  );
  return [...pages].flatMap(([page, root]) => {
    const links = [
      ...new Set([
        ...linksOf(root, 'a[href]'),
        ...root.querySelectorAll('img[src]').map((img) => img.getAttribute('src')),
      ]),
    ];
    return links
      .filter((href) => {
        if (href.startsWith('data:')) return false;
        const to = target(page, href);
        if (to === undefined) return false;
        if (to.anchor !== '' && to.anchor !== 'VPContent') return !anchors.get(to.file)?.has(to.anchor);
        return !existsSync(join(DIST, to.file));
      })
      .map((href) => `${page}: ${href}`);
  });
}

/** Pages that one gets to from the first page's navigation and then by sidebars alone. */
function reachable(pages) {
  const seen = new Set(['index.html']);
  for (const page of seen) {
    for (const href of linksOf(pages.get(page), '.VPSidebar a[href], .VPHero a[href], .VPNavBar a[href]')) {
      const file = target(page, href)?.file;
      if (pages.has(file)) seen.add(file);
    }
  }
  return seen;
}

/** Each export of each entry has a page of its own, or its entry's page leads to that of another entry. */
function exportsWithoutPage(pages) {
  const exported = Object.entries(JSON.parse(readFileSync(join(PAGES, 'exports.json'), 'utf8')));
  const without = exported.flatMap(([entry, names]) => {
    const page = `reference/${entry}/index.html`;
    const linked = linksOf(pages.get(page).querySelector('.vp-doc'), 'a[href]').map((href) => target(page, href)?.file);
    return names
      .filter((name) => !linked.some((file) => pages.has(file) && posix.basename(file, '.html') === name))
      .map((name) => `${entry}: ${name}`);
  });
  return { exports: exported.reduce((sum, [, names]) => sum + names.length, 0), without };
}

/** What a browser would fetch from elsewhere while a page is looked at. */
function foreign(pages, names) {
  const loads = [...pages].flatMap(([page, root]) =>
    root
      .querySelectorAll('script[src], link[href], img[src]')
      .map((element) => element.getAttribute('src') ?? element.getAttribute('href'))
      .filter((address) => /^(https?:)?\/\//.test(address))
      .map((address) => `${page}: ${address}`),
  );
  const styles = names
    .filter((name) => name.endsWith('.css') && /url\(["']?(https?:)?\/\//.test(readFileSync(join(DIST, name), 'utf8')))
    .map((name) => `${name}: url(...)`);
  return [...loads, ...styles];
}

/** The places that the built index gives, by the engine of the pages. */
async function search(names) {
  const name = names.find((one) => /^assets\/chunks\/@localSearchIndexroot\..*\.js$/.test(one));
  const { default: json } = await import(pathToFileURL(join(DIST, name)));
  const index = MiniSearch.loadJSON(json, { fields: ['title', 'titles', 'text'], storeFields: ['title', 'titles'] });
  const { searchOptions } = config.themeConfig.search.options.miniSearch;
  // The constants are those of VitePress.
  const options = { fuzzy: 0.2, prefix: true, boost: { title: 4, text: 2, titles: 1 }, ...searchOptions };
  return index.search(QUERY, options).map(({ id }) => id);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await check();
