// What the declarations of types say of the options of recommenders, and docs/options.md, which is made of that and of the
// declarations of the options themselves.

import ts from 'typescript';
import { type DeclaredOption, declaredOptions } from '../../src/recommenders/declarations';
import { createRecommender, RECOMMENDER_NAMES, type RecommenderName } from '../../src/recommenders/registry';

/** The documentation of an option. */
export interface OptionDoc {
  readonly text: string;
  readonly defaultValue: string;
}

/** The documentation of the options of every recommender by its name, in a file of TypeScript that exports their types. */
export function optionDocs(entry: string): ReadonlyMap<RecommenderName, ReadonlyMap<string, OptionDoc>> {
  const program = ts.createProgram([entry], {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    strict: true,
    skipLibCheck: true,
  });
  const checker = program.getTypeChecker();
  const exports = checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(entry)!)!);
  return new Map(
    RECOMMENDER_NAMES.map((name) => {
      const wanted = `${classOf(name)}Options`;
      const found = exports.find((symbol) => symbol.name === wanted);
      if (found === undefined) return [name, new Map()];
      const isAlias = (found.flags & ts.SymbolFlags.Alias) !== 0;
      const type = checker.getDeclaredTypeOfSymbol(isAlias ? checker.getAliasedSymbol(found) : found);
      return [name, new Map(checker.getPropertiesOfType(type).map((property) => [property.name, docOf(property)]))];
    }),
  );

  function docOf(property: ts.Symbol): OptionDoc {
    const tags = property.getJsDocTags(checker).filter((tag) => tag.name === 'defaultValue');
    const words = (parts: readonly ts.SymbolDisplayPart[] | undefined) =>
      ts
        .displayPartsToString([...(parts ?? [])])
        .replace(/\s+/g, ' ')
        .trim();
    return {
      text: words(property.getDocumentationComment(checker)),
      defaultValue: tags.map(({ text }) => words(text)).join(),
    };
  }
}

/** docs/options.md. */
export function optionsPage(docs: ReturnType<typeof optionDocs>): string {
  const sections = RECOMMENDER_NAMES.map((name) => {
    const options = declaredOptions(name);
    if (options.length === 0) return `## ${classOf(name)} (\`${name}\`)\n\nNo options.\n`;
    const rows = options.map((option) => rowOf(option, docs.get(name)!.get(option.name)!));
    return `## ${classOf(name)} (\`${name}\`)\n\n${table([['option', 'takes', 'default', 'what it is'], ...rows])}\n`;
  });
  return `# The options of every recommender

Made by \`npm run docs:options\` from the declarations in \`src/recommenders\`; do not edit by hand. An option that is left out, or
undefined, has its default; a value out of its range is an \`OptionError\` that names the option. On the command line:
\`opmf train --model NAME --set OPTION=VALUE\`, and \`opmf train --model NAME --help\` lists these options too. Where a default
follows from other options or from the data, \`model.options\` has what came of it.

${sections.join('\n')}`;
}

function rowOf({ name, wanted }: DeclaredOption, { text, defaultValue }: OptionDoc): string[] {
  return [`\`${name}\``, wanted, defaultValue, text.replace(/(?<=\w{2,}\)?\.) .*/, '')].map((cell) =>
    cell.replaceAll('|', '\\|'),
  );
}

function table(rows: readonly (readonly string[])[]): string {
  const [head = []] = rows;
  const widths = head.map((_, column) => Math.max(...rows.map((cells) => cells[column]!.length)));
  const lines = rows.map((cells) => `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`);
  lines.splice(1, 0, `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`);
  return lines.join('\n');
}

function classOf(name: RecommenderName): string {
  // esbuild puts a dash before the name of a class that refers to itself.
  return createRecommender(name).constructor.name.replace(/^_/, '');
}
