// The sources of the site, in site/pages: docs/ as it is, the files beside it that readers want, the reference, and the program
// text that pages link to. Links are made absolute, as pages come from different places.

import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, extname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeReference } from './reference.mjs';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));
export const PAGES = join(ROOT, 'site/pages');

/** Pages that do not lie in docs/, by their place in the repository. */
const OTHERS = {
  'site/index.md': 'index.md',
  'README.md': 'readme.md',
  'CHANGELOG.md': 'changelog.md',
  'CONTRIBUTING.md': 'contributing.md',
  'SECURITY.md': 'security.md',
};

/** The Markdown files in a folder and below, from it. */
export const markdownIn = (folder) =>
  readdirSync(folder, { recursive: true })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.md'))
    .sort();

/** Text with what stands outside of code changed. */
const outsideCode = (text, change) =>
  text
    .split(/(^ *```[\s\S]*?^ *```[^\S\n]*$|``[^`]+``|`[^`]+`)/m)
    .map((part, at) => (at % 2 === 0 ? change(part) : part))
    .join('');

export async function writePages() {
  rmSync(PAGES, { recursive: true, force: true });
  mkdirSync(PAGES, { recursive: true });
  cpSync(join(ROOT, 'docs'), PAGES, { recursive: true });
  const exported = await writeReference(ROOT, join(PAGES, 'reference'));
  for (const page of markdownIn(join(PAGES, 'reference'))) tidy(join(PAGES, 'reference', page));
  writeFileSync(join(PAGES, 'exports.json'), JSON.stringify(exported));

  const sources = markdownIn(join(ROOT, 'docs')).map((page) => [`docs/${page}`, page]);
  for (const [source, page] of [...sources, ...Object.entries(OTHERS)]) {
    write(page, textOf(source));
  }
}

/** A file of the repository as a page. GitHub reads formulas in fences, where nothing is escaped; VitePress between dollars. */
function textOf(source) {
  const text = readFileSync(join(ROOT, source), 'utf8').replace(/^```math\n([\s\S]*?)^```$/gm, '$$$$\n$1$$$$');
  return outsideCode(text, (part) =>
    part.replace(/(\]\()([^)\s]+)(\))/g, (_, open, link, close) => open + linkFrom(source, link) + close),
  );
}

/** Where a link of a file of the repository leads on the site. */
function linkFrom(source, link) {
  if (/^([a-z]+:|\/|#)/.test(link)) return link;
  const [path, anchor] = link.split('#');
  const target = posix.join(posix.dirname(source), path).replace(/\/$/, '');
  if (!existsSync(join(ROOT, target))) throw new Error(`${source}: ${link} leads nowhere`);
  const hash = anchor === undefined ? '' : `#${anchor}`;
  if (OTHERS[target] !== undefined) return `/${OTHERS[target]}${hash}`;
  if (!target.startsWith('docs/')) return `/${codePage(target)}${hash}`;
  const page = target.slice('docs/'.length);
  return statSync(join(PAGES, page)).isDirectory() ? `/${listPage(page)}` : `/${page}${hash}`;
}

/** A page that shows a file of the repository, or the README or the names in a folder of it; gives its place. */
function codePage(target) {
  const readme = `${target}/README.md`;
  if (existsSync(join(ROOT, readme))) return codePage(readme);
  const page = `files/${target.replace(/(\/README)?\.md$/, '').replace(/\.(\w+)$/, '-$1')}.md`;
  const path = join(ROOT, target);
  if (/\.(svg|png|jpg)$/.test(target)) {
    cpSync(path, join(PAGES, 'files', target));
    return `files/${target}`;
  }
  if (existsSync(join(PAGES, page))) return page;
  write(page, ''); // so that pages may lead to each other
  if (target.endsWith('.md')) {
    write(page, textOf(target));
  } else if (statSync(path).isDirectory()) {
    const names = readdirSync(path).map((name) => `- \`${name}\``);
    write(page, `# ${target}\n\n${names.join('\n')}\n`);
  } else {
    const language = extname(target).slice(1) || 'text';
    write(page, `# ${target}\n\n\`\`\`\`${language}\n${readFileSync(path, 'utf8')}\`\`\`\`\n`);
  }
  return page;
}

/** The page of a folder of docs/: its README or, where there is none, the titles of what is in it; gives its place. */
function listPage(folder) {
  const [readme, page] = ['README.md', 'index.md'].map((name) => `${folder}/${name}`);
  if (existsSync(join(PAGES, readme))) return readme;
  const pages = markdownIn(join(PAGES, folder)).filter((name) => name !== 'index.md');
  const title = folder[0].toUpperCase() + folder.slice(1);
  write(page, `# ${title}\n\n${pages.map((name) => `- [${titleOf(`${folder}/${name}`)}](${name})`).join('\n')}\n`);
  return page;
}

/** The first heading of a page, without marks. */
export const titleOf = (page) => /^# (.*)$/m.exec(readFileSync(join(PAGES, page), 'utf8'))?.[1].replace(/[`\\]/g, '');

/** What typedoc repeats for each member is left out, pages that a docstring names are linked, and types are no HTML. */
function tidy(file) {
  const text = readFileSync(file, 'utf8').replace(/^#+ (Inherited from|Overrides|Implementation of)\n\n.*\n\n/gm, '');
  const linked = outsideCode(text, (part) =>
    part
      .replace(/(?<!\\)<(?=\w)(?!https?:|a id=|br)/g, '\\<')
      .replace(/(?<![\w/[(])docs\/([\w/-]+\.md)/g, (all, page) =>
        existsSync(join(ROOT, 'docs', page)) ? `[${titleOf(page)}](/${page})` : all,
      ),
  );
  writeFileSync(file, `---\npageClass: reference\n---\n\n${linked}`);
}

function write(page, text) {
  mkdirSync(dirname(join(PAGES, page)), { recursive: true });
  writeFileSync(join(PAGES, page), text);
}
