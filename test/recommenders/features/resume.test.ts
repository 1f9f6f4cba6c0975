// A fit on features that is stopped and goes on from a checkpoint ends in the bits of one that was never stopped: the
// memory of two rules, dropout, and the running statistics of batch normalization go on where they were.

import { DataError, FormatError, OptionError } from '../../../src/core/errors';
import { decodeSafetensors } from '../../../src/io/files/safetensors';
import type { FeatureFitOptions } from '../../../src/recommenders/features/fit-input';
import { FM } from '../../../src/recommenders/features/fm';
import { type Any, kinds, makeRows } from './kinds';

const rows = makeRows(300);
const validation = makeRows(100, 2);

/** The checkpoint after some epoch of a fit that is then aborted. */
async function checkpointOf(model: Any, epoch: number, options: FeatureFitOptions = {}): Promise<Uint8Array> {
  const stop = new AbortController();
  let bytes = new Uint8Array();
  const write = (given: Uint8Array) => {
    bytes = given.slice();
    stop.abort();
  };
  const fit = model.fit(rows, { ...options, signal: stop.signal, checkpoint: { every: epoch, write } });
  await expect(fit).rejects.toThrow(/abort/i);
  return bytes;
}

const tablesOf = (model: Any) => model.model.parameters.map((parameter) => parameter.factors.map(({ data }) => data));

describe.each(Object.keys(kinds))('%s', (kind) => {
  const make = (more: object = {}) =>
    kinds[kind]!.make({
      epochs: 5,
      overparam: { kind: 'dense' },
      regularization: 0.001,
      ...(kind === 'FM' ? {} : { dropout: 0.2, batchNorm: true, hidden: [7, 3] }),
      ...more,
    });

  test.each<[string, FeatureFitOptions]>([
    ['to the end', {}],
    ['with early stopping', { validation, earlyStopping: { metric: 'logloss', patience: 2 } }],
  ])('the same bits: %s', async (_, options) => {
    const whole = make();
    const history = await whole.fit(rows, options);
    const resume = await checkpointOf(make({ kernels: 'wasm' }), 2, options);
    const later = make({ kernels: 'js' });
    const { epochs, bestEpoch } = await later.fit(rows, { ...options, resume });
    expect([bestEpoch, epochs.map(({ trainLoss, metrics }) => [trainLoss, metrics])]).toEqual([
      history.bestEpoch,
      history.epochs.map(({ trainLoss, metrics }) => [trainLoss, metrics]),
    ]);
    expect(tablesOf(later)).toEqual(tablesOf(whole));
  });

  test('a checkpoint of another training is refused, and changes nothing', async () => {
    const resume = await checkpointOf(make(), 1);
    await expect(make({ seed: 2 }).fit(rows, { resume })).rejects.toThrow(OptionError);
    await expect(make().fit(makeRows(300, 5), { resume })).rejects.toThrow(DataError);
    await expect(make().fit(rows, { resume: resume.subarray(0, 500) })).rejects.toThrow(FormatError);
    const relabelled = { ...rows, labels: rows.labels!.map((label) => 1 - label) };
    await expect(make().fit(relabelled, { resume })).rejects.toThrow('resume: the checkpoint is of 300 rows of left');
  });
});

test('statistics of batch normalization are in a checkpoint', async () => {
  const bytes = await checkpointOf(kinds.DeepFM!.make({ epochs: 2, batchNorm: true }), 1);
  const { data } = decodeSafetensors(bytes).tensors.get('deep1Statistics')!;
  const [means, variances] = [data.subarray(0, data.length / 2), data.subarray(data.length / 2)];
  expect(means.some((mean) => mean !== 0)).toBe(true);
  expect(variances.every((variance) => variance > 0 && variance !== 1)).toBe(true);
});

test('the options are read', async () => {
  const model = new FM({ epochs: 1 });
  await expect(model.fit(rows, { checkpoint: {} as never })).rejects.toThrow('checkpoint.write');
  await expect(model.fit(rows, { resume: 'file' as never })).rejects.toThrow(OptionError);
});
