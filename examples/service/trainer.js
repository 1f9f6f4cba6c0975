// Decides when to train, trains on a thread, and puts the new model in the place of the old one, which answers meanwhile.

import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { loadModel } from 'opmf/node';

export class Trainer {
  /** The model that answers, and what it was trained on. */
  model;
  events = 0;
  trainedAt;
  /** Events that came after those. */
  pending = 0;
  swaps = 0;
  #running;
  #worker;
  #timer;
  #isStopped = false;

  constructor({ database, modelPath, modelOptions, vectorIndex, trainAfterEvents, trainEveryHours, log, onTrained }) {
    Object.assign(this, { database, modelPath, modelOptions, trainAfterEvents, trainEveryHours, log, onTrained });
    this.vectorIndex = database.hasVectors ? vectorIndex : 'none';
  }

  /** Loads the model of the last training; where there is none, trains one if there are events. */
  async start() {
    const [last] = await this.database.query('SELECT * FROM trainings ORDER BY last_seq DESC, at DESC LIMIT 1');
    if (existsSync(this.modelPath)) {
      this.model = await loadModel(this.modelPath);
      this.events = last?.events ?? 0;
      this.trainedAt = last?.at;
    }
    const after = this.model ? (last?.last_seq ?? 0) : 0;
    const [{ count }] = await this.database.query('SELECT count(*) FROM events WHERE seq > $1', [after]);
    this.pending = Number(count);
    if (!this.model && this.pending > 0) await this.train();
    this.#trainIfDue();
    // Timers have at most 2^31 - 1 ms, some 24 days.
    const every = Math.min(this.trainEveryHours * 3600_000, 2 ** 31 - 1);
    if (every > 0) this.#timer = setInterval(() => this.train(), every).unref();
  }

  /** Counts new events, and trains if there are many. */
  add(count) {
    this.pending += count;
    this.#trainIfDue();
  }

  #trainIfDue() {
    if (this.pending >= this.trainAfterEvents && !this.isTraining) this.train();
  }

  get isTraining() {
    return this.#running !== undefined;
  }

  /** Trains, unless a training is running; resolves to whether there is a new model, once its vectors are written too. */
  train() {
    this.#running ??= this.#train()
      .catch((error) => {
        if (!this.#isStopped) this.log.error({ err: error }, 'the training failed; the old model goes on answering');
        return false;
      })
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }

  async #train() {
    if (this.#isStopped) return false;
    const pending = this.pending;
    const { modelPath, modelOptions: options, vectorIndex } = this;
    const [grant, transferList] = this.database.grant();
    const workerData = { grant, modelPath, options, vectorIndex };
    const worker = new Worker(new URL('training-thread.js', import.meta.url), { workerData, transferList });
    this.#worker = worker;
    let swap;
    worker.on('message', (message) => {
      if (message.vectors) this.log.info(message, 'vectors written');
      else swap = this.#swap(message, pending);
    });
    const [code] = await once(worker, 'exit'); // An 'error' before rejects.
    await swap;
    if (code !== 0) throw new Error(`the training thread ended with code ${code}`);
    return swap !== undefined;
  }

  async #swap({ events, lastSeq, seconds }, pending) {
    this.model = await loadModel(this.modelPath);
    this.events = events;
    this.trainedAt = new Date();
    this.pending -= pending;
    this.swaps++;
    this.onTrained({ events, seconds });
    this.log.info({ events, seconds }, 'a new model answers');
    await this.database.query('INSERT INTO trainings (events, last_seq, seconds) VALUES ($1, $2, $3)', [
      events,
      lastSeq,
      seconds,
    ]);
  }

  /** Ends a training that is running: what it has not finished is lost, and done again after the next start. */
  async stop() {
    this.#isStopped = true;
    clearInterval(this.#timer);
    await this.#worker?.terminate();
    await this.#running;
  }
}
