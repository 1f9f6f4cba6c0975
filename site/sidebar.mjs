// The sidebar: a few pages in an order of their own, then whatever else lies in docs/. A page that is named and not there yet is
// left out; one that is there and not named is found in the section of its folder, at last under Project.

import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';
import { markdownIn, PAGES, titleOf } from './pages.mjs';

/** The pages of a section in order; a name with a final slash is whatever lies in that folder. */
const SECTIONS = {
  Start: ['readme', 'start', 'getting-started', 'command-line', 'faq'],
  Tutorial: ['tutorial', 'tutorial/'],
  'How-to': ['how-to/', 'features', 'files', 'runtimes'],
  'From other libraries': ['from/'],
  Concepts: ['method', 'notation', 'defaults', 'comparison', 'evidence'],
  Models: ['options', 'models/', 'baselines'],
  'Serving & scale': ['performance', 'scale', 'reliability'],
};
const PROJECT = ['changelog', 'contributing', 'security', 'architecture', 'assembler'];
const CLOSED = ['Models', 'Serving & scale', 'Reference', 'Project'];

/** Short names of pages whose titles are long, or say too little beside the others. */
const NAMES = {
  'readme.md': 'Overview',
  'defaults.md': 'Defaults',
  'comparison.md': 'Comparison on real ratings',
  'evidence.md': 'Evidence on fair terms',
  'options.md': 'Options',
  'models/overparameterized.md': 'Products in each model',
  'reference/index.md': 'All entries',
};

const link = (page) => ({
  text: NAMES[page] ?? titleOf(page),
  link: `/${page.replace(/\.md$/, '').replace(/(^|\/)index$/, '$1')}`,
});

/** The sidebars by path: that of an entry's reference lists what it exports, the other one everything else. */
export function sidebar() {
  const left = new Set(markdownIn(PAGES).filter((page) => page !== 'index.md' && !page.startsWith('reference/')));
  const take = (pages) => pages.filter((page) => left.delete(page));
  const pagesOf = (name) =>
    take(name.endsWith('/') ? [...left].filter((page) => page.startsWith(name)) : [`${name}.md`]).map(link);

  const sections = Object.entries(SECTIONS).map(([text, names]) => ({ text, items: names.flatMap(pagesOf) }));
  const [first] = pagesOf('decisions/index');
  const decisions = { ...first, text: 'Decisions', collapsed: true, items: pagesOf('decisions/') };
  const files = { text: 'Programs and files', collapsed: true, items: pagesOf('files/') };
  const project = [...PROJECT.flatMap(pagesOf), ...take([...left]).map(link), decisions, files];
  const entries = entryPages();
  const all = [...sections, { text: 'Reference', items: entries.map(link) }, { text: 'Project', items: project }]
    .filter(({ items }) => items.length > 0)
    .map((section) => ({ ...section, collapsed: CLOSED.includes(section.text) }));
  return {
    '/': all,
    ...Object.fromEntries(entries.map((page) => [`/${page.replace('index.md', '')}`, referenceOf(page, entries)])),
  };
}

/** The first page of the reference, and that of each entry. */
const entryPages = () =>
  ['.', ...readdirSync(join(PAGES, 'reference'), { recursive: true }).sort()]
    .map((folder) => posix.join('reference', folder.replaceAll('\\', '/'), 'index.md'))
    .filter((page) => existsSync(join(PAGES, page)));

/** The kinds of what an entry exports, and each export. */
function referenceOf(page, entries) {
  const folder = page.replace('/index.md', '');
  const kinds = readdirSync(join(PAGES, folder))
    .filter(
      (name) => !existsSync(join(PAGES, folder, name, 'index.md')) && statSync(join(PAGES, folder, name)).isDirectory(),
    )
    .map((kind) => ({
      text: kind[0].toUpperCase() + kind.slice(1).replace('-', ' '),
      collapsed: false,
      items: markdownIn(join(PAGES, folder, kind)).map((name) => ({
        text: name.replace(/\.md$/, ''),
        link: `/${folder}/${kind}/${name.replace(/\.md$/, '')}`,
      })),
    }));
  return [{ text: 'Reference', items: entries.map(link) }, ...kinds];
}
