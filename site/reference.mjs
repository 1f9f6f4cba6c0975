// The reference: a page of Markdown for every export of every entry of the package, by typedoc from the docstrings.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Application, Comment } from 'typedoc';

/** What each entry is for; the entries themselves are those that tsconfig.json names. */
const ENTRIES = {
  opmf: 'Data, recommenders, losses, optimizers, evaluation. It imports nothing of Node.',
  'opmf/models': 'The bare trainable models, by row numbers, and the types for models and optimizers of your own.',
  'opmf/math': 'Products and sums of strided ndarrays.',
  'opmf/node': 'Files, data sets, threads and tiles on disk: what needs Node.',
  'opmf/serve': 'Saved models served without the code that trains them.',
  'opmf/distributed': 'Training and lists by many processes or machines, through Redis and a store.',
};

/** Writes the pages into a folder, in a folder an entry; gives the names that each entry exports. */
export async function writeReference(root, out) {
  const { paths } = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8')).compilerOptions;
  const app = await Application.bootstrapWithPlugins({
    name: 'Reference',
    plugin: ['typedoc-plugin-markdown'],
    entryPoints: Object.values(paths).map(([path]) => join(root, path)),
    out,
    tsconfig: join(root, 'tsconfig.json'),
    skipErrorChecking: true,
    excludeInternal: true,
    excludePrivate: true,
    excludeProtected: true,
    disableSources: true,
    readme: 'none',
    router: 'member',
    entryFileName: 'index',
    hidePageHeader: true,
    hideBreadcrumbs: true,
    pageTitleTemplates: { member: '{name}' },
    useCodeBlocks: true,
    parametersFormat: 'table',
    indexFormat: 'table',
    sanitizeComments: true,
    validation: false,
    logLevel: 'Warn',
  });
  const project = await app.convert();
  if (project === undefined) throw new Error('typedoc could not read the sources');
  // typedoc names a module by its file: node/distributed for src/node/distributed/index.ts.
  const nameOf = new Map(
    Object.entries(paths).map(([name, [path]]) => [path.replace(/^\.\/src\/(.+?)(\/index)?\.ts$/, '$1'), name]),
  );
  for (const module of project.children) {
    const name = nameOf.get(module.name);
    if (ENTRIES[name] === undefined) throw new Error(`the entry ${module.name} has no sentence in reference.mjs`);
    module.name = name;
    module.comment ??= new Comment([{ kind: 'text', text: ENTRIES[name] }]);
  }
  await app.generateOutputs(project);
  const rows = Object.keys(paths).map((name) => `| [${name}](${name}/index.md) | ${ENTRIES[name]} |`);
  const table = `| entry | what it is for |\n| --- | --- |\n${rows.join('\n')}\n`;
  writeFileSync(join(out, 'index.md'), `# Reference\n\nEvery export, from the docstrings.\n\n${table}`);
  return Object.fromEntries(project.children.map((module) => [module.name, module.children.map(({ name }) => name)]));
}
