// The Adult census (Kohavi 1996; UCI): who earns more than 50,000 dollars, 32,561 rows to train on and 16,281 to test, with
// the fields of the Wide & Deep tutorial of TensorFlow: numbers and categories for the deep part, crosses for the wide one.
// The weight of a person in the census, `fnlwgt`, says nothing of the person and is left out, as there.

import { categorical, crossed, type FeatureTable, type FieldConfig, numeric } from 'opmf';
import { readFeatureTable } from 'opmf/node';
import { filesOf } from '../files-of';

/** The columns of the files, which have no header. */
export const ADULT_COLUMNS = [
  ...['age', 'workclass', 'fnlwgt', 'education', 'educationYears', 'maritalStatus', 'occupation', 'relationship'],
  ...['race', 'sex', 'capitalGain', 'capitalLoss', 'hoursPerWeek', 'nativeCountry', 'income'],
] as const;

/**
 * Five numbers, eight categories and two crosses. Numbers are there as categories too, of the values that enough people have:
 * what income owes to them is no straight line.
 */
export const ADULT_FIELDS: Readonly<Record<string, FieldConfig>> = {
  age: numeric(),
  educationYears: numeric(),
  capitalGain: numeric(),
  capitalLoss: numeric(),
  hoursPerWeek: numeric(),
  workclass: categorical(),
  education: categorical(),
  maritalStatus: categorical(),
  occupation: categorical(),
  relationship: categorical(),
  race: categorical(),
  sex: categorical(),
  nativeCountry: categorical({ minCount: 10 }),
  ageYears: categorical({ column: 'age', minCount: 10 }),
  gain: categorical({ column: 'capitalGain', minCount: 5 }),
  loss: categorical({ column: 'capitalLoss', minCount: 5 }),
  hours: categorical({ column: 'hoursPerWeek', minCount: 10 }),
  educationXoccupation: crossed('education', 'occupation', { minCount: 5 }),
  countryXoccupation: crossed('nativeCountry', 'occupation', { minCount: 5 }),
};

export interface AdultOptions {
  /** @defaultValue ADULT_FIELDS */
  readonly fields?: Readonly<Record<string, FieldConfig>>;
  /** Where data sets are, instead of where the library looks. */
  readonly dataDir?: string | undefined;
}

/** The published parts; the label is 1 for more than 50,000 dollars, else 0. All is learned from the train part. */
export async function loadAdult(options: AdultOptions = {}): Promise<{ train: FeatureTable; test: FeatureTable }> {
  const find = filesOf('adult', options.dataDir);
  const text = { columns: ADULT_COLUMNS, separator: ',', missing: ['?'] };
  const train = await readFeatureTable(find('adult.data'), {
    ...text,
    fields: options.fields ?? ADULT_FIELDS,
    // In the test file labels end with a dot.
    label: { column: 'income', positive: ['>50K', '>50K.'] },
  });
  // Its first line is '|1x3 Cross validator'.
  const test = await readFeatureTable(find('adult.test'), { ...text, schema: train.schema!, skipLines: 1 });
  return { train, test };
}
