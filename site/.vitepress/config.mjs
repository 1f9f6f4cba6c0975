import { readFileSync } from 'node:fs';
import { slug } from 'github-slugger';
import { defineConfig } from 'vitepress';
import { sidebar } from '../sidebar.mjs';

const { description, version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

export default defineConfig({
  title: 'opmf',
  description,
  lang: 'en',
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  // The site may lie in a folder of a server: DOCS_BASE=/opmf/ npm run docs.
  base: process.env.DOCS_BASE ?? '/',
  srcDir: 'pages',
  outDir: 'dist',
  cacheDir: 'node_modules/.vitepress',
  markdown: { math: true, anchor: { slugify: slug }, languageAlias: { wat: 'wasm', cff: 'yaml', mjs: 'js' } },
  // Pictures are files of their own. The largest chunk is the index, which is loaded when one searches.
  vite: { build: { assetsInlineLimit: 0, chunkSizeWarningLimit: 4000 } },
  themeConfig: {
    nav: [
      { text: 'Guide', link: '/start', activeMatch: '^/(?!reference|changelog)' },
      { text: 'Reference', link: '/reference/opmf/', activeMatch: '^/reference' },
      { text: version, link: '/changelog' },
    ],
    sidebar: sidebar(),
    outline: [2, 3],
    search: {
      provider: 'local',
      options: {
        // Every word of a query; guides before the reference, programs and what has changed.
        miniSearch: {
          searchOptions: {
            combineWith: 'AND',
            boostDocument: (id) => (/\/(reference|files)\/|changelog/.test(id) ? 0.3 : 1),
          },
        },
      },
    },
  },
});
