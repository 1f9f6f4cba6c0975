// Writes docs/options.md from the declarations of options and of their types.
// Run: npm run docs:options

import { writeFileSync } from 'node:fs';
import { optionDocs, optionsPage } from '../test/support/option-docs';

writeFileSync('docs/options.md', optionsPage(optionDocs('src/index.ts')));
